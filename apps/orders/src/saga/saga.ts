/**
 * Takes an accepted order to its end, one step after another. The steps run in the request that placed it, in the background worker after a crash,
 * and in a callback of the provider. Several of these may run at once, which is safe for these reasons:
 *  - Each step first asks the catalog or the provider by the order's id, and gets the same answer however often it asks. Then the step moves the
 *    order on only from the phase in which it belongs (`move`). When two steps come at once, one moves the order.
 *  - A cancelled order always gives its stock back, even where none is known to be taken. Another process may be asking for it at this moment. After
 *    the release the catalog gives that order nothing.
 *  - An order is cancelled only after its charge was declined, or before a charge could be asked for and with its key closed at the provider.
 *
 * So a kill between any two steps leaves an order that the background worker takes on from where it stands.
 */
import { type DotSchema, type ErrorCode, isProblem, problem, type Problem, type StockItem, uuidToBytes } from '@cloakroom/contracts';
import type { OutgoingCall } from '@cloakroom/mesh';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { announce, type Step } from './announce.ts';
import { ordersEnded } from '../metrics.ts';
import { linesOf } from '../reads/order-message.ts';
import type { OrderRow, Phase } from '../orders.ts';
import type { OrdersParts } from '../orders.dependencies.ts';
import type { Answer, Outcome } from '../payments/payment-provider.ts';

/** A card network answers within a second. A person should wait no longer than this. */
export const chargeWaitMs = 1_500;
/** A request needs this much time left to begin another step. It also keeps this much for the answer. */
const marginMs = 300;
/** accepted, reserved, unknown, cancelled, and one more for each where another process came first. */
const stepCountMax = 8;

/** @param call makes the context of a call to the catalog: of the request, or of the background worker */
export async function advance(parts: OrdersParts, orderId: string, call: () => OutgoingCall): Promise<OrderRow> {
  for (let count = 1; ; count += 1) {
    const order = await readOrder(parts, orderId);
    if (count > stepCountMax || call().budgetMs < marginMs || !(await step(parts, order, call))) return readOrder(parts, orderId);
  }
}

const readOrder = ({ db }: OrdersParts, orderId: string): Promise<OrderRow> =>
  db.selectFrom('orders').selectAll().where('order_id', '=', orderId).executeTakeFirstOrThrow();

/** @returns whether there may be more to do now */
async function step(parts: OrdersParts, order: OrderRow, call: () => OutgoingCall): Promise<boolean> {
  if (order.phase === 'accepted') return reserve(parts, order, call());
  if (order.phase === 'reserved') return settle(parts, order, await charge(parts, order, call().budgetMs));
  if (order.phase === 'unknown') return settle(parts, order, await ask(parts, order, call().budgetMs));
  return order.phase === 'cancelled' && order.release_due === 1 && (await release(parts, order, call()));
}

async function reserve(parts: OrdersParts, order: OrderRow, call: OutgoingCall): Promise<boolean> {
  const answer = await parts.catalog.reserveStock(call, { orderId: order.order_id, items: itemsOf(order) });
  if (isProblem(answer)) return heldUp(parts, order, answer);
  const productIds = answer.short.map(({ productId }) => productId);
  if (productIds.length > 0)
    await cancel(parts, order, { from: ['accepted'], reason: 'out_of_stock', why: [{ case: 'stockShort', value: { productIds } }] });
  else
    await move(parts, order, {
      from: ['accepted'],
      set: { phase: 'reserved', stock_reserved: 1 },
      steps: [{ case: 'stockReserved', value: {} }],
    });
  return true;
}

/** Each product once, with its quantity over all lines. */
function itemsOf(order: OrderRow): Pick<StockItem, 'productId' | 'quantity'>[] {
  const quantities = new Map<string, number>();
  for (const { productId, quantity } of linesOf(order)) quantities.set(productId, (quantities.get(productId) ?? 0) + quantity);
  return [...quantities].map(([productId, quantity]) => ({ productId, quantity }));
}

/** A process asks this again after a crash. The key makes it the same charge. */
function charge({ payments, chargeWaitMs: waitMs }: OrdersParts, order: OrderRow, budgetMs: number): Promise<Answer> {
  const request = { key: order.order_id, amount: order.total, currency: order.currency, method: order.payment_method };
  return payments.charge(request, AbortSignal.timeout(Math.max(1, Math.min(waitMs, Math.floor(budgetMs) - marginMs))));
}

/** A provider that never heard of the key lost the charge request. So the saga sends it again. */
async function ask(parts: OrdersParts, order: OrderRow, budgetMs: number): Promise<Answer> {
  const found = await parts.payments.find(order.order_id);
  return found.status === 'none' ? charge(parts, order, budgetMs) : found;
}

async function settle(parts: OrdersParts, order: OrderRow, answer: Answer): Promise<boolean> {
  if (answer.status === 'unknown') {
    await move(parts, order, { from: ['reserved'], set: { phase: 'unknown' }, steps: [{ case: 'paymentUnknown', value: {} }] });
    return false;
  }
  await conclude(parts, order, answer);
  return true;
}

/** Applies the provider's outcome, whichever way it came. */
export async function conclude(parts: OrdersParts, order: OrderRow, outcome: Outcome): Promise<void> {
  const from: Phase[] = ['reserved', 'unknown'];
  if (outcome.status === 'declined')
    await cancel(parts, order, { from, reason: 'payment_declined', why: [{ case: 'paymentDeclined', value: {} }] });
  else {
    const dots = await dotsOf(parts, order);
    const steps: Step[] = [
      { case: 'paymentCaptured', value: { chargeId: outcome.chargeId } },
      { case: 'confirmed', value: { cartId: order.user_id, dots } },
    ];
    if (await move(parts, order, { from, set: { phase: 'placed' }, steps })) ordersEnded.inc({ outcome: 'placed' });
  }
}

/** A callback for an order that has ended changes nothing. */
export async function hearCallback(parts: OrdersParts, orderId: string, outcome: Outcome): Promise<void> {
  const order = await parts.db.selectFrom('orders').selectAll().where('order_id', '=', orderId).executeTakeFirst();
  if (order !== undefined) await conclude(parts, order, outcome);
}

/** For an order whose stock could not be asked for until its person had gone: its key is closed first, then the order is cancelled. */
export async function giveUp(parts: OrdersParts, orderId: string): Promise<void> {
  const order = await readOrder(parts, orderId);
  if (order.phase !== 'accepted') return;
  // Another process may have moved and charged the order meanwhile. Then the charge decides, and `conclude` goes on from there.
  const answer = await parts.payments.close(orderId);
  if (answer.status === 'captured') await conclude(parts, order, answer);
  else if (answer.status === 'declined') await cancel(parts, order, { from: ['accepted'], reason: 'unavailable', why: [] });
}

interface Cancellation {
  readonly from: readonly Phase[];
  readonly reason: ErrorCode;
  readonly why: readonly Step[];
}

async function cancel(parts: OrdersParts, order: OrderRow, { from, reason, why }: Cancellation): Promise<void> {
  const steps: Step[] = [...why, { case: 'cancelled', value: { reason } }];
  const moved = await move(parts, order, { from, set: { phase: 'cancelled', reason, release_due: 1 }, steps });
  if (moved) ordersEnded.inc({ outcome: reason });
}

/** The settler repeats this until the catalog has acknowledged it. */
async function release(parts: OrdersParts, order: OrderRow, call: OutgoingCall): Promise<boolean> {
  const answer = await parts.catalog.releaseStock(call, { orderId: order.order_id });
  if (isProblem(answer)) return heldUp(parts, order, answer);
  const steps: Step[] = order.stock_reserved === 1 ? [{ case: 'stockReleased', value: {} }] : [];
  await move(parts, order, { from: ['cancelled'], set: { release_due: 0 }, steps });
  return false;
}

interface Move {
  readonly from: readonly Phase[];
  readonly set: Partial<Pick<OrderRow, 'phase' | 'reason' | 'stock_reserved' | 'release_due'>>;
  readonly steps: readonly Step[];
}

/** @returns false when another process moved the order first; then nothing was changed */
async function move(parts: OrdersParts, order: OrderRow, { from, set, steps }: Move): Promise<boolean> {
  const moved = await parts.db.transaction().execute(async (trx) => {
    const changed = await trx
      .updateTable('orders')
      .set(set)
      .where('order_id', '=', order.order_id)
      .where('phase', 'in', from)
      // This condition makes the release be told once.
      .where('release_due', '=', order.release_due)
      .returning('order_id')
      .executeTakeFirst();
    if (changed === undefined) return false;
    if (set.phase === 'cancelled') {
      await trx.deleteFrom('order_dots').where('order_id', '=', order.order_id).execute();
      await trx.deleteFrom('coupon_uses').where('order_id', '=', order.order_id).execute();
    }
    if (steps.length > 0) await announce(trx, parts, order, steps);
    return true;
  });
  if (moved) parts.committed();
  return moved;
}

async function dotsOf({ db }: OrdersParts, order: OrderRow): Promise<MessageInitShape<typeof DotSchema>[]> {
  const rows = await db.selectFrom('order_dots').select('dot').where('order_id', '=', order.order_id).orderBy('dot').execute();
  return rows.map(({ dot }) => {
    const [cartId, command] = dot.split('/');
    return { cartId: cartId!, commandId: uuidToBytes(command!) };
  });
}

function heldUp({ log }: OrdersParts, order: OrderRow, why: Problem): boolean {
  log.debug({ orderId: order.order_id, phase: order.phase, problem: why.problem }, 'an order waits for the catalog');
  return false;
}

/** The problem that a cancelled order answers, at once and ever after. */
export function problemOf({ reason }: OrderRow): Problem {
  return problem(reason === 'unavailable' ? 'order_cancelled' : (reason as ErrorCode));
}
