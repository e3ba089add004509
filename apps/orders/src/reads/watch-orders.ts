/** Tells open pages that an order has changed. A notice says "read again" and never the change itself, since notices may be missed. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { problem, type OrderChangedSchema, type Problem } from '@cloakroom/contracts';
import { type PersonContext } from '@cloakroom/mesh';
import { DatabaseUnavailable } from '@cloakroom/platform';
import type { OrderNotices } from './order-notices.ts';
import type { OrdersParts } from '../orders.dependencies.ts';

/** The same bound as in cart: two gateways with some hundred open pages each. */
const watcherCountMax = 2_000;
/** Seconds. A page reads again by itself until it has a stream. */
const retryAfterS = 5;
/** Orders of one person that change while their reader is slow. Beyond this the stream tells the latest only. */
const waitingCountMax = 100;

/** Streams that this process has open. */
let watcherCount = 0;

export async function* watchOrders(
  parts: Pick<OrdersParts, 'db'>,
  notices: Pick<OrderNotices, 'watch'>,
  ctx: PersonContext,
): AsyncGenerator<MessageInitShape<typeof OrderChangedSchema> | Problem> {
  if (watcherCount >= watcherCountMax) {
    yield problem('unavailable', undefined, retryAfterS);
    return;
  }
  const userId = ctx.identity.subject;
  // The map's key is the order: several changes of one order become one notice while the reader is slow.
  const waiting = new Map<string, string>();
  let wake = Promise.withResolvers<void>();
  watcherCount++;
  const stop = notices.watch(userId, ({ orderId, traceparent }) => {
    waiting.delete(orderId);
    waiting.set(orderId, traceparent);
    if (waiting.size > waitingCountMax) waiting.delete(waiting.keys().next().value!);
    wake.resolve();
  });
  const gone = (): void => wake.resolve();
  ctx.signal.addEventListener('abort', gone);
  try {
    // Closes the gap between the reader's last read and this stream. If an order changed in that gap, it is most likely the newest.
    const newest = await newestOrder(parts, userId);
    if (newest !== undefined && !waiting.has(newest)) waiting.set(newest, '');
    while (!ctx.signal.aborted) {
      for (const [orderId, traceparent] of waiting) {
        waiting.delete(orderId);
        yield { orderId, traceparent };
      }
      if (waiting.size === 0) await wake.promise;
      wake = Promise.withResolvers<void>();
    }
  } finally {
    ctx.signal.removeEventListener('abort', gone);
    stop();
    watcherCount--;
  }
}

/** Without the database the stream goes on: it tells what the log says. */
async function newestOrder({ db }: Pick<OrdersParts, 'db'>, userId: string): Promise<string | undefined> {
  try {
    const row = await db
      .selectFrom('orders')
      .select('order_id')
      .where('user_id', '=', userId)
      .orderBy('order_id', 'desc')
      .executeTakeFirst();
    return row?.order_id;
  } catch (error) {
    if (error instanceof DatabaseUnavailable) return undefined;
    throw error;
  }
}
