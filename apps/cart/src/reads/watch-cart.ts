/**
 * Tells a client that shows a cart when the cart has changed. Subtlety: notices can be missed while the view's connection is down. So a
 * notice says "read again" and never what changed. A first notice closes the gap between the reader's last read and this stream.
 */
import { problem, type CartChangedSchema, type Problem } from '@cloakroom/contracts';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { PersonContext } from '@cloakroom/mesh';
import { ViewUnavailable, type CartNotice } from '../projection/cart.view.ts';
import type { CartParts } from '../cart.dependencies.ts';
import { partitionOfCart } from './consistency.ts';

/** Two gateways with some hundred open pages each; a listener costs about 1 kB. */
const watcherCountMax = 2_000;
/** Seconds. A page without a stream reads again from time to time. */
const retryAfterS = 5;

/** Counts the open streams of this process. A process has one such counter. */
export class Watchers {
  count = 0;
}

export async function* watchCart(
  parts: CartParts,
  watchers: Watchers,
  ctx: PersonContext,
): AsyncGenerator<MessageInitShape<typeof CartChangedSchema> | Problem> {
  if (watchers.count >= watcherCountMax) {
    yield problem('unavailable', undefined, retryAfterS);
    return;
  }
  const cartId = ctx.identity.subject;
  const partition = partitionOfCart(parts, cartId);
  // A queue of one: notices that arrive while the reader is slow become one notice.
  let changed = true;
  let traceparent = '';
  let wake = Promise.withResolvers<void>();
  const notice = (of?: CartNotice): void => {
    changed = true;
    traceparent = of?.traceparent ?? traceparent;
    wake.resolve();
  };
  watchers.count++;
  const stop = parts.view.watch(partition, cartId, notice);
  const gone = (): void => notice();
  ctx.signal.addEventListener('abort', gone);
  try {
    while (!ctx.signal.aborted) {
      if (!changed) await wake.promise;
      wake = Promise.withResolvers<void>();
      changed = false;
      if (ctx.signal.aborted) return;
      // The trace of the newest known change. It is taken before the wait for the watermark.
      const trace = traceparent;
      traceparent = '';
      yield { cartId, watermark: await watermarkOf(parts, partition), traceparent: trace };
    }
  } finally {
    ctx.signal.removeEventListener('abort', gone);
    stop();
    watchers.count--;
  }
}

/** 0 while the view does not answer: the reader finds out by its next read. */
async function watermarkOf({ view }: CartParts, partition: number): Promise<bigint> {
  try {
    return (await view.places([partition])).get(partition)?.next ?? 0n;
  } catch (error) {
    if (error instanceof ViewUnavailable) return 0n;
    throw error;
  }
}
