/** How the projector words its trouble, and how it waits before it tries again. */
import { outsideItsGroup, type Subscription, type TopicPartition } from '@cloakroom/event-log';
import { seconds, stuckAfterMs } from '@cloakroom/platform';

/** The innermost cause: the outer message is the same for every failure. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message;
}

/** Says nothing before the first answer: `Standstill` counts from the start, and the caller reports a log that is down. */
export function silence(group: string, reader: Pick<Subscription, 'unassignedMs'> | undefined, heardAgoMs: number): string | undefined {
  const silent = Number.isFinite(heardAgoMs) && heardAgoMs > stuckAfterMs;
  return outsideItsGroup(group, reader) ?? (silent ? `the log of carts was last heard ${seconds(heardAgoMs)} ago` : undefined);
}

/** Partitions with waiting records that have not moved. A partition waits in each of its logs by itself. */
export class Standstill {
  /** In monotonic time. */
  readonly #sinceMs = new Map<string, { readonly partition: number; readonly sinceMs: number }>();
  readonly #nowMs: () => number;
  #trouble = '';

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  waits({ topic, partition }: TopicPartition): void {
    const key = `${topic}/${partition}`;
    if (!this.#sinceMs.has(key)) this.#sinceMs.set(key, { partition, sinceMs: this.#nowMs() });
  }

  moved({ topic, partition }: TopicPartition): void {
    this.#sinceMs.delete(`${topic}/${partition}`);
  }

  blame(error: unknown): void {
    this.#trouble = reasonOf(error);
  }

  words(): string | undefined {
    const waiting = [...this.#sinceMs.values()].filter(({ sinceMs }) => sinceMs < this.#nowMs() - stuckAfterMs);
    if (waiting.length === 0) return undefined;
    const agoMs = this.#nowMs() - Math.min(...waiting.map(({ sinceMs }) => sinceMs));
    const which = [...new Set(waiting.map(({ partition }) => partition))].sort((a, b) => a - b);
    return `the view of partition ${which.join(', ')} stands still for ${seconds(agoMs)}${this.#trouble && `: ${this.#trouble}`}`;
  }
}

export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}
