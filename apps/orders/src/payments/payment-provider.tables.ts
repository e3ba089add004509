/** The simulated provider's own tables, as another company would have them. The saga neither reads nor writes them. */
import type { Generated, Kysely } from 'kysely';
import { speaksPostgres } from '@cloakroom/platform/database';

export interface ProviderTables {
  provider_charges: {
    /** The idempotency key that the shop gave. The provider charges it once, or closes it. */
    charge_key: string;
    charge_id: string;
    amount: number;
    currency: string;
    outcome: 'captured' | 'declined';
    /** How often the provider still answers that it does not know. A count and not a time: two replicas' clocks may differ by hours. */
    looks_left: number;
  };
  /** Callbacks still to be delivered. The row goes once the shop has taken the callback. */
  provider_callbacks: {
    sequence: Generated<number>;
    charge_key: string;
  };
}

export async function addProvider(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('provider_charges')
    .addColumn('charge_key', 'text', (c) => c.primaryKey())
    .addColumn('charge_id', 'text', (c) => c.notNull())
    .addColumn('amount', 'bigint', (c) => c.notNull())
    .addColumn('currency', 'text', (c) => c.notNull())
    .addColumn('outcome', 'text', (c) => c.notNull())
    .addColumn('looks_left', 'integer', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('provider_callbacks')
    .addColumn('sequence', speaksPostgres(db) ? 'bigint' : 'integer', (c) =>
      speaksPostgres(db) ? c.primaryKey().generatedAlwaysAsIdentity() : c.primaryKey().autoIncrement(),
    )
    .addColumn('charge_key', 'text', (c) => c.notNull())
    .execute();
}
