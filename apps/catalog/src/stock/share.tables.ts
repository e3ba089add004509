/** The tables of a stock that several regions sell from. All stay empty in a shop of one region. */
import type { Kysely } from 'kysely';

export interface ShareTables {
  /** At the decider: the name of this database's count, in one row. It is drawn when a share first asks. */
  stock_ledger: { slot: number; ledger_id: string };
  /** At the decider: the last transfer of each share. Earlier ones are settled, since a share has one under way at a time. */
  stock_shares: {
    share_id: string;
    number: number;
    /** JSON: what the transfer asked for. Text, to recognise a repeat. */
    asked: string;
    /** JSON: [{ productId, quantity }] */
    granted: string;
    changed_at_ms: number;
  };
  /** At the share, in one row: where it came from, and its last transfer. */
  own_share: {
    slot: number;
    share_id: string;
    /** '' before the decider was heard. */
    ledger_id: string;
    /** The last transfer that was begun. */
    number: number;
    /** 1 while that transfer is not settled. Returned stock is out of `products` then. */
    open: number;
    /** JSON: [{ productId, quantity }] */
    wanted: string;
    returned: string;
  };
}

/** The tables with one row have it here. */
export const slot = 1;

// The migrator hands over a database of any schema.
export async function addShares(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('stock_ledger')
    .addColumn('slot', 'integer', (column) => column.primaryKey())
    .addColumn('ledger_id', 'text', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('stock_shares')
    .addColumn('share_id', 'text', (column) => column.primaryKey())
    .addColumn('number', 'integer', (column) => column.notNull())
    .addColumn('asked', 'text', (column) => column.notNull())
    .addColumn('granted', 'text', (column) => column.notNull())
    .addColumn('changed_at_ms', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('own_share')
    .addColumn('slot', 'integer', (column) => column.primaryKey())
    .addColumn('share_id', 'text', (column) => column.notNull())
    .addColumn('ledger_id', 'text', (column) => column.notNull())
    .addColumn('number', 'integer', (column) => column.notNull())
    .addColumn('open', 'integer', (column) => column.notNull())
    .addColumn('wanted', 'text', (column) => column.notNull())
    .addColumn('returned', 'text', (column) => column.notNull())
    .execute();
}
