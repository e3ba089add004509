/** The load generator, a separate process (pinned to another core: machine.ts). */
import { readFileSync } from 'node:fs';
import { build } from 'hdr-histogram-js';
import { type Dispatcher, Pool } from 'undici';
import { closedLoop, openLoop } from './load.loops.ts';
import { obey } from './load.process.ts';

export interface Target {
  readonly origin: string;
  readonly path: string;
  /** A JSON file with a list of header sets; each request takes the next one. */
  readonly headersFile: string;
  /** The place in the list where this block starts. */
  readonly from: number;
}

export type Order = { readonly target: Target; readonly seconds: number; readonly warmUpSeconds: number } & (
  { readonly kind: 'closed'; readonly connections: number } | { readonly kind: 'open'; readonly rate: number }
);

/** Microseconds, from a histogram with 3 significant digits. Percentile p is the smallest value that at least p % of all do not exceed. */
export interface Latency {
  readonly p10: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export interface Loaded {
  /** Requests that were answered with 200, a second, in the measured time. */
  readonly perSecond: number;
  readonly answered: number;
  /** Other answers by status; 0 means no answer. */
  readonly wrong: Readonly<Record<string, number>>;
  readonly latency: Latency;
  /** How late requests were sent, at the 99th percentile: the delay that the generator itself caused. */
  readonly lateP99: number;
  readonly bytes: number;
  readonly next: number;
}

/** A gateway has a few connections from the proxy before it, not one for each request. */
const openConnectionCount = 64;

const lists = new Map<string, Record<string, string>[]>();

obey<Order, Loaded>(run);

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

async function run(order: Order, begins: () => void): Promise<Loaded> {
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
  begins();
  const { measured, tookS } = await phase(order.seconds);
  await pool.destroy();
  const { histogram, late, answered, wrong, bytes } = measured;
  const at100 = (part: number): number => histogram.getValueAtPercentile(part);
  const latency = { p10: at100(10), p50: at100(50), p90: at100(90), p99: at100(99), p999: at100(99.9), max: histogram.maxValue };
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
