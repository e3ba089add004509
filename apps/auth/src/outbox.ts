/**
 * The transactional outbox: what others must hear is committed with the change itself, so that neither a crash nor an absent Kafka can
 * lose it. Delivery is at least once (relay.ts); consumers tell repeats by event id (identity.events) or by the change being idempotent
 * (session.revocations).
 */
import { create, toJsonString, type MessageInitShape } from '@bufbuild/protobuf';
import { IdentityEventSchema, RevocationEventSchema, topics } from '@cloakroom/contracts';
import { type Cause, traceOfCause } from '@cloakroom/platform';
import type { Kysely, Selectable, Transaction } from 'kysely';
import type { AuthSchema } from './migrations.ts';

export type Database = Kysely<AuthSchema>;
export type OutboxRow = Selectable<AuthSchema['outbox']>;

/**
 * @param cause the request: the relay publishes later, so only the row can tell it
 * @param event with its id: the same however often it is published
 */
export async function announceIdentity(
  trx: Transaction<AuthSchema>,
  cause: Cause,
  userId: string,
  event: MessageInitShape<typeof IdentityEventSchema>,
): Promise<void> {
  await trx
    .insertInto('outbox')
    .values({
      topic: topics.identityEvents.name,
      record_key: userId,
      event: toJsonString(IdentityEventSchema, create(IdentityEventSchema, event)),
      tag: '',
      applied: 1,
      published: 0,
      ...traceOfCause(cause),
    })
    .execute();
}

/**
 * One partition, so that a reader hears revocations in the order in which they were committed.
 * @param tag of the person in the session store; '' when the store has nothing to do with it (keys, global epoch)
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

/** Commits, then wakes the relay. A wake that is missed costs one poll interval, never an event. */
export interface Outbox {
  commit<Result>(change: (trx: Transaction<AuthSchema>) => Promise<Result>): Promise<Result>;
  onCommit(listener: () => void): void;
}

export function openOutbox(database: Database): Outbox {
  const listeners: (() => void)[] = [];
  return {
    commit: async (change) => {
      const result = await database.transaction().execute(change);
      for (const listener of listeners) listener();
      return result;
    },
    onCommit: (listener) => void listeners.push(listener),
  };
}
