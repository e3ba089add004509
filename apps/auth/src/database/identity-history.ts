/**
 * Keeps the events announced on identity.events for a while. An emergency retires a key at once. A consumer then drops the unread events of that key
 * as forged, and a guest cart may never reach its sign-in. So an emergency rotation announces the recent events again, in the same transaction, and
 * the relay signs them with the new key. A repeated event changes nothing at the consumer.
 */
import { topics } from '@cloakroom/contracts';
import type { Kysely, Transaction } from 'kysely';
import type { AuthSchema } from './migrations.ts';

/** A consumer that was away for longer has bigger problems (an alarm on its lag sounds within minutes). */
export const historyMs = 7 * 24 * 60 * 60 * 1000;
/** The newest rows that one transaction of a rotation repeats; the transaction has 2 s. */
export const repeatedCountMax = 20_000;

/** Runs once an event, in the transaction that announces it. */
export async function remember(trx: Transaction<AuthSchema>, recordKey: string, event: string, atMs: number): Promise<void> {
  await trx.insertInto('identity_history').values({ at_ms: atMs, record_key: recordKey, event }).execute();
}

/** Announces the events again in their first order. The new key signs those that still wait in the outbox anyway. @returns how many */
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

/** Below the number of parameters that SQLite takes in one statement. */
const pageSize = 500;

export async function pruneHistory(database: Kysely<AuthSchema>, nowMs: number): Promise<number> {
  const { numDeletedRows } = await database
    .deleteFrom('identity_history')
    .where('at_ms', '<=', nowMs - historyMs)
    .executeTakeFirst();
  return Number(numDeletedRows);
}
