/**
 * Tells the open streams of this process that an order has changed, whichever replica changed it. Each process reads order.events under a group of
 * its own, from the end. A notice that is missed while the log is unavailable is not sent later: a stream begins with a notice, and pages read again.
 */
import { fromBinary } from '@bufbuild/protobuf';
import { OrderEventSchema, topics } from '@cloakroom/contracts';
import { pauseUntil, traceOfRecord, type EventLog, type LogRecord, type Subscription } from '@cloakroom/event-log';
import { type Logger } from '@cloakroom/platform';

export interface OrderNotice {
  readonly orderId: string;
  /** Trace of the change; '' where it is not known. */
  readonly traceparent: string;
}

type Listener = (notice: OrderNotice) => void;

/** The event log may come up after this service. */
const subscribeRetryMs = 1_000;

export interface OrderNotices {
  /** @returns the unsubscribe function */
  watch(userId: string, listener: Listener): () => void;
  /** Whether this process reads the topic. */
  subscribed(): boolean;
  start(): void;
  stop(): Promise<void>;
}

export function openOrderNotices(options: { readonly eventLog: EventLog; readonly log: Logger; readonly group: string }): OrderNotices {
  const { eventLog, log, group } = options;
  const listeners = new Map<string, Set<Listener>>();
  const stopping = new AbortController();
  let subscription: Subscription | undefined;

  const tell = (record: LogRecord): void => {
    const orderId = orderOf(record);
    if (orderId === undefined) return;
    // A listener may leave while it is told. Iterating a Set allows that.
    for (const listener of listeners.get(record.key) ?? [])
      listener({
        orderId,
        traceparent: traceOfRecord(record).traceparent ?? '',
      });
  };
  const follow = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        await eventLog.ensureTopics([topics.orderEvents]);
        subscription = await eventLog.subscribe({
          group,
          topics: [topics.orderEvents],
          from: 'latest',
          handler: (batch) => Promise.resolve(batch.records.forEach(tell)),
        });
        if (stopping.signal.aborted) await subscription.stop();
        return;
      } catch (error) {
        if (!stopping.signal.aborted) log.warn({ err: error }, 'order events cannot be read yet');
        await pauseUntil(subscribeRetryMs, stopping.signal);
      }
    }
  };

  return {
    watch(userId, listener) {
      const its = listeners.get(userId) ?? new Set<Listener>();
      listeners.set(userId, its);
      its.add(listener);
      return () => {
        its.delete(listener);
        if (its.size === 0 && listeners.get(userId) === its) listeners.delete(userId);
      };
    },
    subscribed: () => subscription !== undefined,
    start: () => void follow(),
    async stop() {
      stopping.abort();
      // Stopping does not wait for the search for a broker, which may take longer than a process has to stop.
      await subscription?.stop();
    },
  };
}

/** An unreadable record reaches no stream. The cart buries it, and a page that missed a notice reads again. */
function orderOf({ value }: LogRecord): string | undefined {
  try {
    return value === null ? undefined : fromBinary(OrderEventSchema, value).orderId;
  } catch {
    return undefined;
  }
}
