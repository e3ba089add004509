/**
 * What was announced on identity.events, kept for a while. When a key is retired at once, an event that it signed and that a consumer has not read
 * yet becomes a forgery to that consumer, and is dropped: a sign-in whose guest cart never arrives. So an emergency rotation announces the
 * recent ones again, in the same transaction; the relay signs them by the new key. Consumers tell a repeat by what it changes: nothing.
 */
import { topics } from '@cloakroom/contracts';
import type { Kysely, Transaction } from 'kysely';
import type { AuthSchema } from './migrations.ts';

/** A consumer that was away for longer than this has other troubles (an alarm on its lag sounds within minutes). */
export const historyMs = 7 * 24 * 60 * 60 * 1000;
/** Rows in one transaction of a rotation, which has 2 s: the newest. */
export const repeatedCountMax = 20_000;

/** Once an event, in the transaction that announces it. */
export async function remember(trx: Transaction<AuthSchema>, recordKey: string, event: string, atMs: number): Promise<void> {
  await trx.insertInto('identity_history').values({ at_ms: atMs, record_key: recordKey, event }).execute();
}

/** In the order in which they were announced. Those that still wait in the outbox are signed by the new key anyway. @returns how many */
export async function announceRecentAgain(trx: Transaction<AuthSchema>, nowMs: number): Promise<number> {
  const recent = await trx
    .selectFrom('identity_history')
    .select(['record_key', 'event'])
    .where('at_ms', '>', nowMs - historyMs)
    .orderBy('sequence', 'desc')
    .limit(repeatedCountMax)
    .execute();
  const rows = recent.toReversed().map(({ record_key, event }) => ({
    topic: topics.identityEvents.name,
    record_key,
    event,
    tag: '',
    applied: 1,
    published: 0,
    traceparent: null,
    experiment: null,
  }));
  for (let at = 0; at < rows.length; at += pageSize)
    await trx
      .insertInto('outbox')
      .values(rows.slice(at, at + pageSize))
      .execute();
  return rows.length;
}

/** Below the parameters that SQLite takes in one statement. */
const pageSize = 500;

export async function pruneHistory(database: Kysely<AuthSchema>, nowMs: number): Promise<number> {
  const { numDeletedRows } = await database
    .deleteFrom('identity_history')
    .where('at_ms', '<=', nowMs - historyMs)
    .executeTakeFirst();
  return Number(numDeletedRows);
}
