/** Opens a stream from a service again whenever it ends, for as long as the client listens. */
import { isProblem, type Problem } from '@cloakroom/contracts';

const reopenDelayMinMs = 250;
const reopenDelayMaxMs = 5_000;

export interface Watch<Change> {
  /** Undefined: not now. The first message of each stream must say "read again", because no stream reports a change between two streams. */
  open(): Promise<AsyncIterable<Change | Problem> | undefined>;
  hear(change: Change): Promise<void>;
  /** Runs before the next stream is opened. */
  again?(): Promise<unknown>;
}

/** Resolves once `gone` is aborted. */
export async function watchAgain<Change>({ open, hear, again }: Watch<Change>, gone: AbortSignal): Promise<void> {
  let delayMs = reopenDelayMinMs;
  while (!gone.aborted) {
    for await (const change of (await open()) ?? []) {
      if (isProblem(change)) break;
      delayMs = reopenDelayMinMs;
      await hear(change);
    }
    await pause(delayMs, gone);
    delayMs = Math.min(delayMs * 2, reopenDelayMaxMs);
    await again?.();
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
