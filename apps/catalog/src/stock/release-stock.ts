import { problem, uuidV7Milliseconds, type Problem, type ReleaseStockRequest } from '@cloakroom/contracts';
import type { Kysely } from 'kysely';
import type { CatalogSchema } from '../products.ts';
import { giveBack, openReservation } from './reservations.ts';

/**
 * Gives back the stock that the order took, once. A repeated call changes nothing. The release may come before the reservation, which may still be on
 * its way from a stopped process. Then the id is closed: a later reservation finds the row and takes nothing.
 */
export async function releaseStock(
  db: Kysely<CatalogSchema>,
  { orderId }: Pick<ReleaseStockRequest, 'orderId'>,
  nowMs: number,
): Promise<Record<string, never> | Problem> {
  if (uuidV7Milliseconds(orderId) === undefined) return problem('invalid_request', 'orderId: not a UUIDv7');
  await db.transaction().execute(async (trx) => {
    const known = await openReservation(trx, orderId, { state: 'closed', items: [] }, nowMs);
    if (known === undefined) return;
    const { numUpdatedRows } = await trx
      .updateTable('reservations')
      .set({ state: 'closed', changed_at_ms: nowMs })
      .where('order_id', '=', orderId)
      .where('state', '=', 'taken')
      .executeTakeFirstOrThrow();
    // Another release of the same order may have come between the read and this update.
    if (numUpdatedRows === 1n) await giveBack(trx, known.items);
  });
  return {};
}
