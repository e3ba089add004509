/**
 * Open loop: request k is due at start + k / rate, whether or not the requests before it were answered. Its latency counts from that due
 * time. A closed loop would send less while the system is slow, and so not see the slowness ("coordinated omission", Tene 2013). The closed
 * loop here has one purpose: to find the highest rate.
 */

/** With more unanswered requests than this the system has failed at this rate. Further due requests count as lost. */
const waitingCountMax = 20_000;
const drainTimeoutMs = 5_000;

export interface InFlight {
  readonly waiting: number;
  lost(status: number): void;
}

export async function closedLoop(connections: number, seconds: number, ask: (dueMs: number) => Promise<void>): Promise<void> {
  const endMs = performance.now() + seconds * 1000;
  const one = async (): Promise<void> => {
    while (performance.now() < endMs) await ask(performance.now());
  };
  await Promise.all(Array.from({ length: connections }, one));
}

/**
 * Between two due times the event loop turns without sleeping. A timer is wrong by up to a
 * millisecond, and milliseconds are what is measured.
 */
export async function openLoop(rate: number, seconds: number, ask: (dueMs: number) => Promise<void>, inFlight: InFlight): Promise<void> {
  const startMs = performance.now();
  const count = Math.floor(rate * seconds);
  for (let k = 0; k < count; k++) {
    const dueMs = startMs + (k * 1000) / rate;
    for (let leftMs = dueMs - performance.now(); leftMs > 0; leftMs = dueMs - performance.now()) {
      await (leftMs > 2 ? new Promise((resolve) => setTimeout(resolve, leftMs - 1.5)) : new Promise(setImmediate));
    }
    if (inFlight.waiting >= waitingCountMax) inFlight.lost(0);
    else void ask(dueMs);
  }
  const giveUpMs = performance.now() + drainTimeoutMs;
  while (inFlight.waiting > 0 && performance.now() < giveUpMs) await new Promise((resolve) => setTimeout(resolve, 1));
}
