import { speaksPostgres } from '@cloakroom/platform/database';
import type { Generated, Kysely } from 'kysely';

/** Events that were announced to other services lately (identity-history.ts). */
export interface IdentityHistorySchema {
  identity_history: {
    /** Follows the commits, as in the outbox, since several events of one millisecond have an order too. */
    sequence: Generated<number>;
    at_ms: number;
    record_key: string;
    /** The event as protobuf JSON. */
    event: string;
  };
}

export async function addIdentityHistory(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('identity_history')
    .addColumn('sequence', speaksPostgres(db) ? 'bigint' : 'integer', (c) =>
      speaksPostgres(db) ? c.primaryKey().generatedAlwaysAsIdentity() : c.primaryKey().autoIncrement(),
    )
    .addColumn('at_ms', 'bigint', (c) => c.notNull())
    .addColumn('record_key', 'text', (c) => c.notNull())
    .addColumn('event', 'text', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('identity_history_by_at').on('identity_history').column('at_ms').execute();
  // A logout asks whether its token was ended already (logout.ts).
  await db.schema.createIndex('revocations_by_token_hash').on('revocations').column('token_hash').execute();
}
