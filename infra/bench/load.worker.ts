/**
 * The load generator, a process of its own (pinned apart: machine.ts).
 *
 * Open loop: request k is due at start + k / rate, whether or not those before were answered, and its latency counts from when it was due. A
 * closed loop would send less while the system is slow, and so not see the slowness ("coordinated omission", Tene 2013). The closed loop is here
 * for one question only: how much at most.
 */
import { readFileSync } from 'node:fs';
import { build } from 'hdr-histogram-js';
import { type Dispatcher, Pool } from 'undici';

export interface Target {
  readonly origin: string;
  readonly path: string;
  /** A JSON file with a list of header sets; each request takes the next one. */
  readonly headersFile: string;
  /** Where in the list to go on. */
  readonly from: number;
}

export type Order = { readonly target: Target; readonly seconds: number; readonly warmUpSeconds: number } & (
  { readonly kind: 'closed'; readonly connections: number } | { readonly kind: 'open'; readonly rate: number }
);

/** Microseconds, from a histogram with 3 significant digits; percentile p is the smallest value that p % of all are not above. */
export interface Latency {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export interface Loaded {
  /** Answered with 200 a second, in the measured time. */
  readonly perSecond: number;
  readonly answered: number;
  /** By status; 0: no answer. */
  readonly wrong: Readonly<Record<string, number>>;
  readonly latency: Latency;
  /** How late requests were sent, at the 99th percentile: the generator's own share. */
  readonly lateP99: number;
  readonly bytes: number;
  readonly next: number;
}

/** The measured time begins and ends: the parent reads the processor time of the others then. */
export type Note = { readonly note: 'measuring' } | { readonly note: 'ready' } | { readonly result: Loaded } | { readonly failed: string };

/** A gateway has its connections to the proxy before it, not one a request. */
const openConnectionCount = 64;
/** Beyond this many unanswered the system has failed at this rate: what is due is counted as lost. */
const waitingCountMax = 20_000;
const drainTimeoutMs = 5_000;

const lists = new Map<string, Record<string, string>[]>();
const tell = (note: Note): void => void process.send!(note);

process.on('message', (order: Order) => {
  run(order).then(
    (result) => tell({ result }),
    (error: unknown) => tell({ failed: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
tell({ note: 'ready' });

class Measurement {
  readonly histogram = build({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000_000, numberOfSignificantValueDigits: 3 });
  readonly late = build({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000_000, numberOfSignificantValueDigits: 3 });
  readonly wrong: Record<string, number> = {};
  answered = 0;
  waiting = 0;
  bytes = 0;

  lost(status: number): void {
    this.wrong[status] = (this.wrong[status] ?? 0) + 1;
  }
}

async function run(order: Order): Promise<Loaded> {
  const { target } = order;
  const headers = listOf(target.headersFile);
  const pool = new Pool(target.origin, {
    connections: order.kind === 'closed' ? order.connections : openConnectionCount,
    pipelining: 1,
    headersTimeout: 10_000,
  });
  let at = target.from;
  const nextHeaders = (): Record<string, string> => headers[at++ % headers.length]!;
  const phase = async (seconds: number): Promise<{ measured: Measurement; tookS: number }> => {
    const measured = new Measurement();
    const ask = (dueMs: number): Promise<void> => send(pool, target.path, nextHeaders(), dueMs, measured);
    const startedMs = performance.now();
    if (order.kind === 'open') await openLoop(order.rate, seconds, ask, measured);
    else await closedLoop(order.connections, seconds, ask);
    return { measured, tookS: (performance.now() - startedMs) / 1000 };
  };
  if (order.warmUpSeconds > 0) await phase(order.warmUpSeconds);
  tell({ note: 'measuring' });
  const { measured, tookS } = await phase(order.seconds);
  await pool.destroy();
  const { histogram, late, answered, wrong, bytes } = measured;
  const at100 = (part: number): number => histogram.getValueAtPercentile(part);
  const latency = { p50: at100(50), p90: at100(90), p99: at100(99), p999: at100(99.9), max: histogram.maxValue };
  return {
    perSecond: answered / tookS,
    answered,
    wrong,
    latency,
    lateP99: late.getValueAtPercentile(99),
    bytes,
    next: at % headers.length,
  };
}

function listOf(file: string): Record<string, string>[] {
  const known = lists.get(file) ?? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>[]);
  lists.set(file, known);
  return known;
}

async function closedLoop(connections: number, seconds: number, ask: (dueMs: number) => Promise<void>): Promise<void> {
  const endMs = performance.now() + seconds * 1000;
  const one = async (): Promise<void> => {
    while (performance.now() < endMs) await ask(performance.now());
  };
  await Promise.all(Array.from({ length: connections }, one));
}

/** Between two due times the event loop turns without sleeping: a timer is a millisecond wrong, which is what is to be measured. */
async function openLoop(rate: number, seconds: number, ask: (dueMs: number) => Promise<void>, measured: Measurement): Promise<void> {
  const startMs = performance.now();
  const count = Math.floor(rate * seconds);
  for (let k = 0; k < count; k++) {
    const dueMs = startMs + (k * 1000) / rate;
    for (let leftMs = dueMs - performance.now(); leftMs > 0; leftMs = dueMs - performance.now()) {
      await (leftMs > 2 ? new Promise((resolve) => setTimeout(resolve, leftMs - 1.5)) : new Promise(setImmediate));
    }
    if (measured.waiting >= waitingCountMax) measured.lost(0);
    else void ask(dueMs);
  }
  const giveUpMs = performance.now() + drainTimeoutMs;
  while (measured.waiting > 0 && performance.now() < giveUpMs) await new Promise((resolve) => setTimeout(resolve, 1));
}

function send(pool: Pool, path: string, headers: Record<string, string>, dueMs: number, measured: Measurement): Promise<void> {
  measured.waiting++;
  measured.late.recordValue(Math.max(0, Math.round((performance.now() - dueMs) * 1000)));
  return new Promise((resolve) => {
    let status = 0;
    let bytes = 0;
    const end = (): void => {
      measured.waiting--;
      if (status === 200) {
        measured.answered++;
        measured.bytes += bytes;
        measured.histogram.recordValue(Math.max(1, Math.round((performance.now() - dueMs) * 1000)));
      } else measured.lost(status);
      resolve();
    };
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => undefined,
      onResponseStart: (_controller, code) => void (status = code),
      onResponseData: (_controller, chunk) => void (bytes += chunk.length),
      onResponseEnd: end,
      onResponseError: () => {
        status = 0;
        end();
      },
    };
    pool.dispatch({ path, method: 'GET', headers }, handler);
  });
}
