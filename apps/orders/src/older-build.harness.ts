/** The statements of an older orders service, from before one command belonged to one order. */
import { openDatabase } from '@cloakroom/platform/database';
import { sql, type Kysely } from 'kysely';
import { quiet } from './orders.harness.ts';
import { migrations, type Database, type OrdersSchema, type Phase } from './orders.ts';

/** Opens the database as the older build does: without expansions. */
export const openOldDatabase = (url: string): Promise<Database> =>
  openDatabase<OrdersSchema>(url, migrations, { name: 'orders', log: quiet });

/** @returns how many of the dots the order got */
export async function oldOrder(
  db: Kysely<OrdersSchema>,
  order_id: string,
  user_id: string,
  dots: readonly string[],
  phase: Phase = 'accepted',
): Promise<number> {
  const common = { body_hash: '', reason: '', stock_reserved: 0, release_due: 0, lines: '[]', address: '{}', traceparent: null };
  const sums = { subtotal: 1, discount: 0, coupon: '', total: 1, currency: 'EUR', payment_method: 'card_pays', placed_at_ms: 1 };
  const row = { ...common, ...sums, order_id, user_id, idempotency_key: order_id, phase, experiment: null };
  await db.insertInto('orders').values(row).execute();
  const rows = sql.join([...dots].toSorted().map((dot) => sql`(${dot}, ${order_id})`));
  const taken =
    await sql`insert into "order_dots" ("dot", "order_id") values ${rows} on conflict ("dot") do nothing returning "dot"`.execute(db);
  return taken.rows.length;
}
