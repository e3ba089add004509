/** Each service owns its database, by Kysely: SQLite in the process (a file a service), or a database of its own on a PostgreSQL server. */
import { type Kysely, PostgresAdapter } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import { withFaults } from './database.faults.ts';
import type { DatabaseOptions } from './database.postgres.ts';
import { openSqlite } from './database.sqlite.ts';
import type { Logger } from '../log.ts';
import { inCallSpan } from '../trace.ts';

/**
 * Opens, migrates forward, and returns the query builder. Waits (bounded) for a PostgreSQL that is not up yet.
 * @param url `sqlite:<file>` (its folder is made), `sqlite::memory:` or `postgres://user@host:port/database`
 * @param migrations by name, applied in name order, each once, also when several replicas start at once
 * @throws when a migration fails, or the database is of a newer version: the service must not start on a schema that it does not know
 */
export async function openDatabase<Schema>(
  url: string,
  migrations: Readonly<Record<string, Migration>>,
  options: DatabaseOptions,
): Promise<Kysely<Schema>> {
  if (isSqliteUrl(url)) {
    const database = openSqlite<Schema>(url);
    await migrateOrClose(database, migrations, options, url);
    return withFaults(inSpans(database, 'sqlite'), options.name);
  }
  // Loaded only here: most shops have SQLite.
  const { openPostgres, postgresPlace, waitForPostgres } = await import('./database.postgres.ts');
  await waitForPostgres(url, options);
  // Separate from the pool of the requests, because a migration, or waiting for another replica's, may take longer than any request may.
  const migrating = openPostgres<Schema>(url, options, 'migrations');
  await migrateOrClose(migrating, migrations, options, postgresPlace(url));
  await migrating.destroy();
  return withFaults(inSpans(openPostgres<Schema>(url, options, 'requests'), 'postgresql'), options.name);
}

/** Transactions are spans of the call that they run for. Single statements are not: they would be most of a trace, and say little. */
function inSpans<Schema>(database: Kysely<Schema>, system: string): Kysely<Schema> {
  const begin = database.transaction.bind(database);
  database.transaction = () => {
    const transaction = begin();
    const execute = transaction.execute.bind(transaction);
    transaction.execute = (work) => inCallSpan('transaction', { 'db.system.name': system }, () => execute(work));
    return transaction;
  };
  return database;
}

export const isSqliteUrl = (url: string): boolean => url.startsWith('sqlite:');

/** For the few statements that are not portable. */
export function speaksPostgres<Schema>(database: Kysely<Schema>): boolean {
  return database.getExecutor().adapter instanceof PostgresAdapter;
}

async function migrateOrClose<Schema>(
  database: Kysely<Schema>,
  migrations: Readonly<Record<string, Migration>>,
  { log, expansions = {} }: DatabaseOptions,
  place: string,
): Promise<void> {
  const error = (await migrate(database, migrations, log)) ?? (await expand(database, expansions, log));
  if (error === undefined) return;
  const unknown = await unknownMigrations(database, migrations).catch((): string[] => []);
  await database.destroy();
  if (unknown.length > 0)
    throw new Error(
      `the database ${place} is of a newer version: it has had ${unknown.join(', ')}, which this version does not know. Start that version, or restore a backup`,
    );
  throw new Error('a migration failed', { cause: error });
}

/** @returns the failure, if any */
async function migrate<Schema>(
  db: Kysely<Schema>,
  migrations: Readonly<Record<string, Migration>>,
  log: Logger,
  table: { readonly migrationTableName?: string } = {},
): Promise<unknown> {
  if (Object.keys(migrations).length === 0) return undefined;
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve({ ...migrations }) }, ...table });
  const { error, results } = await migrator.migrateToLatest();
  for (const result of results ?? []) log.info({ migration: result.migrationName, status: result.status }, 'migrated');
  return error;
}

/** This build ignores additions of a later build. */
async function expand<Schema>(database: Kysely<Schema>, expansions: Readonly<Record<string, Migration>>, log: Logger): Promise<unknown> {
  const table = 'kysely_expansion';
  const later = await unknownMigrations(database, expansions, table).catch((): string[] => []);
  const nothing: Migration = { up: () => Promise.resolve() };
  const known = { ...expansions, ...Object.fromEntries(later.map((name) => [name, nothing])) };
  return migrate(database, known, log, { migrationTableName: table });
}

async function unknownMigrations<Schema>(
  database: Kysely<Schema>,
  migrations: Readonly<Record<string, Migration>>,
  table: 'kysely_migration' | 'kysely_expansion' = 'kysely_migration',
): Promise<string[]> {
  const applied = await (database as unknown as Kysely<Record<typeof table, { name: string }>>).selectFrom(table).select('name').execute();
  return applied.map(({ name }) => name).filter((name) => !(name in migrations));
}
