/**
 * The transactional outbox. The announcement of a change is committed with the change itself, so that neither a crash nor an absent Kafka can lose
 * it. Delivery is at least once (relay.ts). Consumers recognise repeats by event id (identity.events), or the change is idempotent
 * (session.revocations).
 *
 * For every reader, the order of the sequence is the order of the commits. All rows that became visible before a look have smaller numbers than rows
 * that become visible after it. SQLite has one writer. PostgreSQL draws an identity when a row is inserted, not when it commits, so two concurrent
 * transactions may commit out of order.
 *
 * Here they do not run concurrently. Each transaction takes one advisory lock before its first statement and keeps it to its end, which is after its
 * commit is visible. So every transaction of auth that announces anything runs alone, as on SQLite, and `read committed` is enough. A claim, an epoch
 * or a key that it reads cannot change before it commits, and no two transactions can wait for each other. The price is one commit at a time in all
 * of auth; hashing a password costs ten times as much as that.
 */
import { create, toJsonString, type MessageInitShape } from '@bufbuild/protobuf';
import { IdentityEventSchema, isProblem, RevocationEventSchema, topics } from '@cloakroom/contracts';
import { type Cause, traceOfCause } from '@cloakroom/event-log';
import { DatabaseUnavailable } from '@cloakroom/platform';
import { queueAfterFaults, speaksPostgres } from '@cloakroom/platform/database';
import { type Kysely, type Selectable, sql, type Transaction } from 'kysely';
import type { AuthSchema } from './migrations.ts';
import { remember } from './identity-history.ts';
import { boundedConcurrency } from '../bounded-concurrency.ts';

export type Database = Kysely<AuthSchema>;
export type OutboxRow = Selectable<AuthSchema['outbox']>;

/**
 * @param cause the request; the relay publishes later, so only the row can tell it
 * @param event with its id, which stays the same however often it is published
 */
export async function announceIdentity(
  trx: Transaction<AuthSchema>,
  cause: Cause,
  userId: string,
  event: MessageInitShape<typeof IdentityEventSchema> & { readonly atMs: bigint },
): Promise<void> {
  const written = toJsonString(IdentityEventSchema, create(IdentityEventSchema, event));
  await remember(trx, userId, written, Number(event.atMs));
  await trx
    .insertInto('outbox')
    .values({
      topic: topics.identityEvents.name,
      record_key: userId,
      event: written,
      tag: '',
      applied: 1,
      published: 0,
      ...traceOfCause(cause),
    })
    .execute();
}

/**
 * Uses one partition, so that a reader hears revocations in the order in which they were committed.
 * @param tag the person's tag in the session store; '' when the store does not need the event (keys, global epoch)
 */
export async function announceRevocation(
  trx: Transaction<AuthSchema>,
  cause: Cause,
  key: string,
  tag: string,
  event: MessageInitShape<typeof RevocationEventSchema>,
): Promise<void> {
  await trx
    .insertInto('outbox')
    .values({
      topic: topics.sessionRevocations.name,
      record_key: key,
      event: toJsonString(RevocationEventSchema, create(RevocationEventSchema, event)),
      tag,
      applied: tag === '' ? 1 : 0,
      published: 0,
      ...traceOfCause(cause),
    })
    .execute();
}

/** The lease of the one relay among all processes on this database. It is also the channel by which commits wake that relay. */
export const outboxLease = 'auth_outbox';

/** A commit takes a few ms, so the last in the queue waits as long as any statement may. */
const waitingCountMax = 500;

/** Commits, then wakes the relay. A missed wake costs one poll interval, never an event. */
export interface Outbox {
  commit<Result>(change: (trx: Transaction<AuthSchema>) => Promise<Result>): Promise<Result>;
  onCommit(listener: () => void): void;
}

export function openOutbox(database: Database): Outbox {
  const listeners: (() => void)[] = [];
  const shared = speaksPostgres(database);
  // Transactions queue here rather than in the pool. So at most one connection waits for the lock, and reads have all the others.
  const oneAtATime = boundedConcurrency(1, waitingCountMax);
  const locked = async <Result>(
    trx: Transaction<AuthSchema>,
    change: (trx: Transaction<AuthSchema>) => Promise<Result>,
  ): Promise<Result> => {
    if (shared) await sql`select pg_advisory_xact_lock(hashtextextended('outbox', 0))`.execute(trx);
    const changed = await change(trx);
    // When this commits, the server notifies the relay, in whichever process it runs.
    if (shared) await sql`select pg_notify(${outboxLease}, '')`.execute(trx);
    return changed;
  };
  return {
    commit: async (change) => {
      const inTurn = async () => ({ result: await database.transaction().execute((trx) => locked(trx, change)) });
      const done = await queueAfterFaults('auth', () => oneAtATime(inTurn));
      if (isProblem(done)) throw new DatabaseUnavailable(`more than ${waitingCountMax} changes wait for the database`);
      for (const listener of listeners) listener();
      return done.result;
    },
    onCommit: (listener) => void listeners.push(listener),
  };
}
