/**
 * `npm run bench -- telemetry`: the cost of telemetry for a call that appends to the log, off and on. Three workers do the same work: hooks
 * bypassed, off, on. They are measured in turn, a block of calls each, in an order that changes. So other work on the machine affects all
 * alike.
 *
 * Only blocks of one round are compared. There are several sets of workers, because a process keeps the luck of its start.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { align } from '../../../infra/cli/status.ts';
import type { Measured } from './telemetry.worker.ts';

/** Enough for the optimising compiler to have seen all the code. */
const warmUpBlocks = 4;
const size = { sets: 3, callsPerBlock: 1_000 };

const variants = ['bypassed', 'off', 'on'] as const;
type Variant = (typeof variants)[number];
type Round = Readonly<Record<Variant, Measured>>;

/** @param rounds rounds of each set */
export async function benchTelemetry(rounds: number, { sets, callsPerBlock } = size): Promise<void> {
  const collector = await openCollector();
  const bySet: Round[][] = [];
  for (let set = 1; set <= sets; set++) bySet.push(await measureSet(rounds, callsPerBlock, collector.endpoint));
  const measured = bySet.flat();
  await collector.close();
  const rows = [['variant', 'CPU a call', 'wall time a call', `of ${sets} x ${rounds} blocks of ${callsPerBlock} calls`]];
  for (const variant of variants) {
    const of = (field: keyof Measured) => measured.map((round) => round[variant][field]);
    rows.push([variant, micro(median(of('cpuUs'))), micro(median(of('wallUs'))), 'medians']);
  }
  console.log('');
  for (const line of align(rows)) console.log(line);
  console.log('');
  for (const [of, to] of [
    ['off', 'bypassed'],
    ['on', 'off'],
  ] as const) {
    for (const field of ['cpuUs', 'wallUs'] as const) {
      const ratiosOf = (some: readonly Round[]) => some.map((round) => round[of][field] / round[to][field]);
      const [low, middle, high] = [0.1, 0.5, 0.9].map((part) => quantile(ratiosOf(measured), part).toFixed(3));
      const medians = bySet.map((set) => median(ratiosOf(set)).toFixed(3)).join(', ');
      const what = field === 'cpuUs' ? 'CPU' : 'wall time';
      console.log(`${of} / ${to}, ${what}: ${middle} (10th to 90th percentile ${low} to ${high}; medians of the sets ${medians})`);
    }
  }
}

async function measureSet(rounds: number, callsPerBlock: number, endpoint: string): Promise<Round[]> {
  const workers = new Map<Variant, ChildProcess>();
  try {
    for (const variant of variants) workers.set(variant, await startWorker(variant, endpoint));
    const block = async (variant: Variant): Promise<Measured> => {
      const worker = workers.get(variant)!;
      worker.send({ calls: callsPerBlock });
      const [answer] = (await once(worker, 'message')) as [Measured];
      return answer;
    };
    for (let warmUp = 0; warmUp < warmUpBlocks; warmUp++) for (const variant of variants) await block(variant);
    const measured: Round[] = [];
    for (let round = 0; round < rounds; round++) {
      // Each of the three is first, second and third equally often.
      const order = variants.map((_, index) => variants[(index + round) % variants.length]!);
      const blocks = new Map<Variant, Measured>();
      for (const variant of order) blocks.set(variant, await block(variant));
      measured.push(Object.fromEntries(blocks) as Round);
    }
    return measured;
  } finally {
    for (const worker of workers.values()) if (worker.connected) worker.disconnect();
    for (const worker of workers.values()) if (worker.exitCode === null) await once(worker, 'exit');
  }
}

async function startWorker(variant: Variant, endpoint: string): Promise<ChildProcess> {
  const execArgv = variant === 'bypassed' ? ['--import', join(import.meta.dirname, 'telemetry.bypass.ts')] : [];
  const worker = fork(join(import.meta.dirname, 'telemetry.worker.ts'), [variant === 'on' ? endpoint : '', variant], { execArgv });
  const failed = once(worker, 'exit').then(() => Promise.reject(new Error(`the worker "${variant}" did not start`)));
  await Promise.race([once(worker, 'message'), failed]);
  failed.catch(() => undefined);
  return worker;
}

/** Takes spans and drops them, in this process: their cost at the collector is not the shop's. */
async function openCollector(): Promise<{ readonly endpoint: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    request.resume().once('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const micro = (microseconds: number): string => `${microseconds.toFixed(1)} us`;
const median = (values: readonly number[]): number => quantile(values, 0.5);

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
