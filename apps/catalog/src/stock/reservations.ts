/**
 * Records which order holds which stock. An order id has one row for ever, and a row never goes back. Open ids become `taken` or `short`, and `taken`
 * becomes `closed`. An id that was closed before it took anything stays closed.
 *
 * orders asks at least once, from two replicas, and perhaps long after it gave the order up. So each request first inserts the row of its id, and
 * waits there for another transaction's insert of it. A request that finds the row reads the earlier decision.
 *
 * No deadlock is possible: a transaction locks the order's row first, which no other order wants. Then it locks products in the order of their ids.
 */
import type { Kysely, Transaction } from 'kysely';
import type { CatalogSchema, ReservationTable } from '../products.ts';

export interface StockLine {
  readonly productId: string;
  readonly quantity: number;
}

type Reservation = Pick<ReservationTable, 'state'> & { readonly items: readonly StockLine[]; readonly short: readonly StockLine[] };

/** @returns undefined when the id is new: it has this row from now on; else the row that was there */
export async function openReservation(
  trx: Transaction<CatalogSchema>,
  orderId: string,
  row: Pick<ReservationTable, 'state'> & { readonly items: readonly StockLine[] },
  nowMs: number,
): Promise<Reservation | undefined> {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('reservations')
    .values({ order_id: orderId, state: row.state, items: JSON.stringify(row.items), short: '[]', changed_at_ms: nowMs })
    .onConflict((conflict) => conflict.column('order_id').doNothing())
    .executeTakeFirstOrThrow();
  if (numInsertedOrUpdatedRows === 1n) return undefined;
  const found = await trx
    .selectFrom('reservations')
    .select(['state', 'items', 'short'])
    .where('order_id', '=', orderId)
    .executeTakeFirstOrThrow();
  return { state: found.state, items: JSON.parse(found.items) as StockLine[], short: JSON.parse(found.short) as StockLine[] };
}

/**
 * Takes all or nothing. One statement both checks the stock and takes it: another buyer would fit between two statements.
 * @param items by product id
 * @returns the items of which there is too little, with the quantity that is left
 */
export async function takeStock(trx: Transaction<CatalogSchema>, items: readonly StockLine[]): Promise<StockLine[]> {
  const taken: StockLine[] = [];
  const short: StockLine[] = [];
  for (const item of items) {
    if (short.length === 0 && (await takeOne(trx, item))) {
      taken.push(item);
      continue;
    }
    const left = (await stockOf(trx, item.productId)) ?? 0;
    // The first item that could not be taken was short then, even if another order has given some back since.
    if (short.length === 0) short.push({ ...item, quantity: Math.min(left, item.quantity - 1) });
    else if (left < item.quantity) short.push({ ...item, quantity: left });
  }
  if (short.length > 0) await giveBack(trx, taken);
  return short;
}

/** @param items by product id */
export async function giveBack(trx: Transaction<CatalogSchema>, items: readonly StockLine[]): Promise<void> {
  for (const { productId, quantity } of items)
    await trx
      .updateTable('products')
      .set((row) => ({ stock: row('stock', '+', quantity) }))
      .where('product_id', '=', productId)
      .execute();
}

export async function takeOne(trx: Transaction<CatalogSchema>, { productId, quantity }: StockLine): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('products')
    .set((row) => ({ stock: row('stock', '-', quantity) }))
    .where('product_id', '=', productId)
    .where('stock', '>=', quantity)
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

export async function stockOf(db: Kysely<CatalogSchema>, productId: string): Promise<number | undefined> {
  return (await db.selectFrom('products').select('stock').where('product_id', '=', productId).executeTakeFirst())?.stock;
}
