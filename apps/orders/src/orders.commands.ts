/**
 * The database itself keeps the rule "one order a command". A build from before this table knows only `order_dots`. Such a build may run beside this
 * build in a rolling update, or after it when the update is undone.
 * So order_dots stays as the older build knows it, and triggers keep `order_commands` level with whatever any build writes there. The trigger leaves
 * out a row when another order of the same buyer has its command. Every build reads a missing row as: taken.
 *
 * A later release can write order_commands itself, and drop the triggers and order_dots. No older build may run beside that release.
 */
import { speaksPostgres } from '@cloakroom/platform/database';
import { sql, type Kysely } from 'kysely';

/** May be repeated: SQLite keeps the finished part of an interrupted run. */
export async function oneOrderACommand(db: Kysely<unknown>): Promise<void> {
  // The lock waits for transactions that have written, and lets none write until this one is over: the copy must hold what they commit.
  if (speaksPostgres(db)) await sql`lock table order_dots in share row exclusive mode`.execute(db);
  await db.schema
    .createTable('order_commands')
    .ifNotExists()
    .addColumn('user_id', 'text', (c) => c.notNull())
    .addColumn('command_id', 'text', (c) => c.notNull())
    .addColumn('dot', 'text', (c) => c.notNull())
    .addColumn('order_id', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('order_commands_key', ['user_id', 'command_id'])
    .execute();
  await db.schema.createIndex('order_commands_by_order').ifNotExists().on('order_commands').column('order_id').execute();
  const command = speaksPostgres(db) ? `split_part(dot, '/', 2)` : `substr(dot, instr(dot, '/') + 1)`;
  await takeWhatIsThere(db, command);
  // The trigger uses this index to look for another order of the same command.
  await sql.raw(`create index if not exists order_dots_by_command on order_dots ((${command}))`).execute(db);
  for (const statement of speaksPostgres(db) ? triggersOfPostgres : triggersOfSqlite) await sql.raw(statement).execute(db);
}

/** Older builds could sell one command twice, under two names. The paid order gets the command, else the order that is nearest to being paid. */
async function takeWhatIsThere(db: Kysely<unknown>, command: string): Promise<void> {
  await sql
    .raw(
      `insert into order_commands (user_id, command_id, dot, order_id)
       select user_id, command_id, dot, order_id from (
         select user_id, command_id, dot, order_id, row_number() over (
           partition by user_id, command_id
           order by case phase when 'placed' then 0 when 'unknown' then 1 when 'reserved' then 2 when 'accepted' then 3 else 4 end, order_id, dot
         ) as nth
         from (
           select orders.user_id, ${command} as command_id, dot, order_dots.order_id, phase
           from order_dots join orders on orders.order_id = order_dots.order_id
         ) as named
       ) as numbered
       where nth = 1
       on conflict do nothing`,
    )
    .execute(db);
}

const commandOf = (row: string, postgres: boolean): string =>
  postgres ? `split_part(${row}.dot, '/', 2)` : `substr(${row}.dot, instr(${row}.dot, '/') + 1)`;

/** One order may name a command twice, but takes it once. */
const take = (postgres: boolean): string => `
  insert into order_commands (user_id, command_id, dot, order_id)
  select user_id, ${commandOf('new', postgres)}, new.dot, new.order_id from orders where order_id = new.order_id
  on conflict (user_id, command_id) do nothing;`;
const isTaken = (postgres: boolean): string => `
  not exists (
    select 1 from order_commands join orders on orders.user_id = order_commands.user_id and orders.order_id = order_commands.order_id
    where orders.order_id = new.order_id and command_id = ${commandOf('new', postgres)}
  )`;
/** Two older orders may share a command. When one of them frees it, the other takes it now, since the other may be paid. */
const free = (postgres: boolean): string => `
  delete from order_commands where order_id = old.order_id and command_id = ${commandOf('old', postgres)};
  insert into order_commands (user_id, command_id, dot, order_id)
  select orders.user_id, ${commandOf('order_dots', postgres)}, order_dots.dot, order_dots.order_id
  from order_dots join orders on orders.order_id = order_dots.order_id
  where ${commandOf('order_dots', postgres)} = ${commandOf('old', postgres)}
    and orders.user_id = (select user_id from orders where order_id = old.order_id)
  ${postgres ? 'for update of order_dots' : ''}
  on conflict (user_id, command_id) do nothing;`;

const triggersOfPostgres = [
  `create function take_order_command() returns trigger language plpgsql as $$
   begin ${take(true)}
     if ${isTaken(true)} then return null; end if;
     return new;
   end $$`,
  `create trigger order_dots_take before insert on order_dots for each row execute function take_order_command()`,
  `create function free_order_command() returns trigger language plpgsql as $$
   begin ${free(true)}
     return null;
   end $$`,
  `create trigger order_dots_free after delete on order_dots for each row execute function free_order_command()`,
];

const triggersOfSqlite = [
  `create trigger if not exists order_dots_take before insert on order_dots
   begin ${take(false)}
     select raise(ignore) where ${isTaken(false)};
   end`,
  `create trigger if not exists order_dots_free after delete on order_dots
   begin ${free(false)}
   end`,
];
