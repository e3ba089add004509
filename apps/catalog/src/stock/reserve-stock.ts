import { problem, type Problem, productIdCountMax, type ReserveStockRequest, uuidV7Milliseconds } from '@cloakroom/contracts';
import type { Kysely } from 'kysely';
import type { CatalogSchema } from '../products.ts';
import { openReservation, takeStock, type StockLine } from './reservations.ts';

/** Far more than check-out lets through. It keeps a wrong number from emptying a shelf that holds millions. */
const quantityMax = 1_000_000;

export type StockWanted = Pick<ReserveStockRequest, 'orderId'> & { readonly items: readonly StockLine[] };

/**
 * Takes all lines or none, once for each order id. A repeated call gets the first answer and takes nothing.
 * @returns `short` is empty when the order has its stock. An order that was closed (release-stock.ts) has none: all its lines are short, of 0
 */
export async function reserveStock(
  db: Kysely<CatalogSchema>,
  { orderId, items: wanted }: StockWanted,
  nowMs: number,
): Promise<{ short: StockLine[] } | Problem> {
  const items = wanted
    .map(({ productId, quantity }) => ({ productId, quantity }))
    .toSorted((a, b) => (a.productId < b.productId ? -1 : a.productId > b.productId ? 1 : 0));
  const refused = refusal(orderId, items);
  if (refused !== undefined) return problem('invalid_request', refused);
  return db.transaction().execute(async (trx) => {
    const known = await openReservation(trx, orderId, { state: 'taken', items }, nowMs);
    if (known?.state === 'closed') return { short: items.map(({ productId }) => ({ productId, quantity: 0 })) };
    if (known !== undefined) {
      const same = JSON.stringify(known.items) === JSON.stringify(items);
      return same ? { short: [...known.short] } : problem('invalid_request', 'orderId: stands for other items');
    }
    const short = await takeStock(trx, items);
    if (short.length > 0)
      await trx
        .updateTable('reservations')
        .set({ state: 'short', short: JSON.stringify(short) })
        .where('order_id', '=', orderId)
        .execute();
    return { short };
  });
}

/** @param items by product id */
export function refusal(orderId: string, items: readonly StockLine[]): string | undefined {
  if (uuidV7Milliseconds(orderId) === undefined) return 'orderId: not a UUIDv7';
  if (items.length === 0 || items.length > productIdCountMax) return `items: 1 to ${productIdCountMax}`;
  if (items.some(({ quantity }) => !Number.isInteger(quantity) || quantity < 1 || quantity > quantityMax))
    return `quantity: 1 to ${quantityMax}`;
  if (items.some(({ productId }, i) => productId === items[i - 1]?.productId)) return 'items: each product once';
  return undefined;
}
