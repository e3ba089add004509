/**
 * Spans say more to the Observatory than to others: who acted, and which app of the process made the span. Such attributes have names with a prefix.
 * telemetry.otlp.ts takes them out of every copy that leaves for another collector.
 *
 * Without an Observatory every function here is one comparison, and no attribute is made.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { observing, runningSpan, type Settable, type Span } from './trace.ts';

/** Only the Observatory gets attributes whose names begin so. */
export const privatePrefix = 'observatory.';

export type Observed = Settable;

/** @param describe runs only where an Observatory gets the span */
export function observe(span: Span | undefined, describe: () => Observed): void {
  if (span !== undefined && observing()) span.set(describe());
}

/** The same for the span of the running call, for code that is not told its span. */
export function observeRunning(describe: () => Observed): void {
  if (observing()) observe(runningSpan(), describe);
}

export interface ActingApp {
  readonly app: string;
  /** From 1, as text. */
  readonly replica: string;
}

/**
 * The app that runs, where a process holds several. Timers, sockets and listeners keep the app that made them, so this is set once at the app's start.
 * It is for spans alone.
 */
const acting = new AsyncLocalStorage<ActingApp>();

/** Everything that `work` starts makes its spans as this app. */
export function actAs<Result>(app: ActingApp, work: () => Result): Result {
  return observing() ? acting.run(app, work) : work();
}

/** Keeps the app for a listener that a library calls from a context of its own, as grpc-js does. Without an app it is the same function. */
export function keepActing<Args extends unknown[], Result>(listener: (...args: Args) => Result): (...args: Args) => Result {
  const app = acting.getStore();
  return app === undefined ? listener : (...args) => acting.run(app, () => listener(...args));
}

/** Undefined where the process is one app. */
export const actingApp = (): ActingApp | undefined => acting.getStore();
