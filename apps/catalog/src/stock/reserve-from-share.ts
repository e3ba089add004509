import { type Problem } from '@cloakroom/contracts';
import { stocksNow } from '../products.ts';
import type { StockLine } from './reservations.ts';
import { refusal, reserveStock, type StockWanted } from './reserve-stock.ts';
import type { ShareParts, StockShare } from './stock-share.ts';

/** An order waits so long at most for the decider, of the 1,500 ms that it has. */
const decidesWithinMs = 900;
/** Left for the reservation here. */
const spareMs = 300;
/** Another order may take what came for this one. */
const fillCountMax = 3;

interface ReservingParts extends Pick<ShareParts, 'db'> {
  readonly share: StockShare;
  readonly nowMs: number;
  readonly waitMaxMs?: number;
}

/**
 * Takes stock from the share. It first asks the decider for anything that the share lacks. If the decider does not answer in time, this is a cut for the order:
 * the share decides. A grant that was on its way all the same comes into the share later.
 */
export async function reserveFromShare(
  { db, share, nowMs, waitMaxMs = decidesWithinMs }: ReservingParts,
  wanted: StockWanted,
  remainingMs: () => number,
): Promise<{ short: StockLine[] } | Problem> {
  for (let fills = 0; fills < fillCountMax && remainingMs() > spareMs; fills += 1) {
    const missing = await missingFor(db, wanted);
    if (missing.length === 0 || !(await share.fill(missing, Math.min(waitMaxMs, remainingMs() - spareMs)))) break;
  }
  return reserveStock(db, wanted, nowMs);
}

/** Compares the order with the share. An order that has its answer already, or that is refused, misses nothing. */
async function missingFor(db: ShareParts['db'], { orderId, items }: StockWanted): Promise<StockLine[]> {
  if (
    refusal(
      orderId,
      items.toSorted((a, b) => (a.productId < b.productId ? -1 : 1)),
    ) !== undefined
  )
    return [];
  const known = await db.selectFrom('reservations').select('order_id').where('order_id', '=', orderId).executeTakeFirst();
  if (known !== undefined) return [];
  const shares = await stocksNow(db);
  return items.flatMap(({ productId, quantity }) => {
    const lacking = quantity - (shares.get(productId) ?? quantity);
    return lacking > 0 ? [{ productId, quantity: lacking }] : [];
  });
}
