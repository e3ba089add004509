/**
 * Finishes the work that a request left: an unknown payment, an order whose process was killed between two steps, stock that was not given back. The
 * settler keeps no time in the database, because another replica's clock may be hours off. It counts from when it first saw an order, by its own
 * monotonic clock. After a restart it counts anew, which only delays.
 */
import type { OutgoingCall } from '@cloakroom/mesh';
import type { TraceContext } from '@cloakroom/platform';
import type { OrdersParts } from '../orders.dependencies.ts';
import type { Phase } from '../orders.ts';
import { advance, giveUp } from './saga.ts';

/** A request has longer, but two processes may take the same step without harm. So this delay only saves work. */
const graceMs = 2_000;
/** Delays between retries while the catalog or the provider is unavailable. The last one repeats for ever. */
const retryDelaysMs = [400, 800, 1_600, 3_200] as const;
/** After this an order without an answer about its stock is given up: its person has gone, and would not want to be charged now. */
export const giveUpAfterMs = 10 * 60 * 1000;
/** Orders of one look and phase, oldest first. Orders that wait for an unavailable provider do not displace orders that wait only for the settler. */
const orderCountMax = 500;
const concurrency = 8;
/** Time for one step. The budgets of the catalog's methods and of a charge are below it. */
const budgetMs = 3_000;

interface Waiting {
  readonly sinceMs: number;
  dueMs: number;
  tries: number;
}

export interface Settler {
  /** One round. @returns the number of orders it tried */
  settle(ended: AbortSignal): Promise<number>;
}

export function openSettler(parts: OrdersParts, newTrace: () => TraceContext): Settler {
  const { clock, log } = parts;
  const waiting = new Map<string, Waiting>();
  const call = (): OutgoingCall => ({ budgetMs, trace: newTrace() });

  const tryOne = async (orderId: string, its: Waiting): Promise<void> => {
    try {
      if (clock.monotonicMs() - its.sinceMs > giveUpAfterMs) await giveUp(parts, orderId);
      await advance(parts, orderId, call);
    } catch (error) {
      // An order that cannot be finished must not delay the others.
      log.warn({ err: error, orderId }, 'an order could not be settled');
    } finally {
      its.dueMs = clock.monotonicMs() + retryDelaysMs[Math.min(its.tries, retryDelaysMs.length - 1)]!;
      its.tries += 1;
    }
  };

  return {
    async settle(ended) {
      const orders = await unfinished(parts);
      const ids = new Set(orders.map((order) => order.order_id));
      for (const known of waiting.keys()) if (!ids.has(known)) waiting.delete(known);
      const nowMs = clock.monotonicMs();
      const due = orders.filter(({ order_id: orderId, phase }) => {
        const its = waiting.get(orderId) ?? { sinceMs: nowMs, dueMs: nowMs + (mayBeUnderWay(phase) ? graceMs : 0), tries: 0 };
        waiting.set(orderId, its);
        return its.dueMs <= nowMs;
      });
      const queue = [...due];
      const work = async (): Promise<void> => {
        for (let next = queue.shift(); next !== undefined && !ended.aborted; next = queue.shift())
          await tryOne(next.order_id, waiting.get(next.order_id)!);
      };
      await Promise.all(Array.from({ length: concurrency }, work));
      return due.length;
    },
  };
}

/** A request may be taking the next step of such an order at this moment. */
const mayBeUnderWay = (phase: Phase): boolean => phase === 'accepted' || phase === 'reserved';

async function unfinished({ db }: OrdersParts): Promise<{ order_id: string; phase: Phase }[]> {
  const orders = () => db.selectFrom('orders').select(['order_id', 'phase']).orderBy('order_id').limit(orderCountMax);
  return [
    ...(await orders().where('phase', '=', 'accepted').execute()),
    ...(await orders().where('phase', '=', 'reserved').execute()),
    ...(await orders().where('phase', '=', 'unknown').execute()),
    ...(await orders().where('release_due', '=', 1).execute()),
  ];
}
