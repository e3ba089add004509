/** How the projector words its trouble, and how it waits before it tries again. */
import { outsideItsGroup, type Subscription } from '@cloakroom/event-log';
import { seconds, stuckAfterMs } from '@cloakroom/platform';

/** The innermost cause: the outer message is the same for every failure. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message;
}

/** Says nothing before the first answer: `standstill` counts from the start, and the caller reports a log that is down. */
export function silence(group: string, reader: Pick<Subscription, 'unassignedMs'> | undefined, heardAgoMs: number): string | undefined {
  const silent = Number.isFinite(heardAgoMs) && heardAgoMs > stuckAfterMs;
  return outsideItsGroup(group, reader) ?? (silent ? `the log of carts was last heard ${seconds(heardAgoMs)} ago` : undefined);
}

/** @param waitsSince since when each partition with waiting records has not moved, in monotonic time */
export function standstill(waitsSince: ReadonlyMap<number, number>, nowMs: number, trouble: string): string | undefined {
  const waiting = [...waitsSince].filter(([, sinceMs]) => sinceMs < nowMs - stuckAfterMs);
  if (waiting.length === 0) return undefined;
  const agoMs = nowMs - Math.min(...waiting.map(([, sinceMs]) => sinceMs));
  const which = waiting.map(([partition]) => partition).sort((a, b) => a - b);
  return `the view of partition ${which.join(', ')} stands still for ${seconds(agoMs)}${trouble && `: ${trouble}`}`;
}

export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}
