/** Drives the load generator, and reads the processor time that each process of the system spent meanwhile. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openWorker } from './load.process.ts';
import type { Loaded, Order, Target } from './load.worker.ts';
import type { CoreUse, FloorBlock } from './starved.ts';

export type { Latency, Loaded } from './load.worker.ts';

/** The callers and the address. The position in the list of header sets moves on from block to block, so that "cold" stays cold. */
export class Load {
  readonly origin: string;
  readonly path: string;
  /** The file may be replaced between two blocks. */
  headersFile: string;
  from = 0;

  constructor(origin: string, path: string, headersFile: string) {
    this.origin = origin;
    this.path = path;
    this.headersFile = headersFile;
  }
}

/** `cpuUs`: microseconds of processor time for each answered request, by process. */
export interface Block extends Loaded {
  readonly cpuUs: Readonly<Record<string, number>>;
  readonly core?: CoreUse | undefined;
}

export type How = { readonly seconds: number; readonly warmUpSeconds: number } & (
  { readonly kind: 'closed'; readonly connections: number } | { readonly kind: 'open'; readonly rate: number }
);

export interface Generator {
  run(load: Load, how: How, pids: Readonly<Record<string, number>>): Promise<Block>;
  /** Writes header sets to a file that the generator reads. */
  headers(name: string, list: readonly Readonly<Record<string, string>>[]): string;
  stop(): Promise<void>;
}

export async function openGenerator(dir: string): Promise<Generator> {
  rmSync(dir, { recursive: true, force: true });
  // The file has cookies of test sessions, so only this user may read it.
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const worker = await openWorker<Order, Loaded>(join(import.meta.dirname, 'load.worker.ts'));
  return {
    headers(name, list) {
      const file = join(dir, `${name}.json`);
      writeFileSync(file, JSON.stringify(list), { mode: 0o600 });
      return file;
    },
    async run(load, how, pids) {
      const { origin, path, headersFile, from } = load;
      const target: Target = { origin, path, headersFile, from };
      const order: Order = { ...how, target };
      const { result, spentMs, core } = await worker.measure(order, pids);
      load.from = result.next;
      return { ...result, cpuUs: perRequest(spentMs, result.answered), core };
    },
    async stop() {
      await worker.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Microseconds of processor time for each request, by process. */
export const perRequest = (spentMs: Readonly<Record<string, number>>, count: number): Record<string, number> =>
  Object.fromEntries(Object.entries(spentMs).map(([name, ms]) => [name, (ms * 1000) / count]));

/** A benchmark whose answers were refusals would be a lie. A larger share of wrong answers ends it. */
const wrongPartMax = 0.001;

export function checked<Measured extends Pick<Block, 'answered' | 'wrong'>>(block: Measured, what: string): Measured {
  const wrong = Object.values(block.wrong).reduce((sum, count) => sum + count, 0);
  if (block.answered === 0 || wrong / (block.answered + wrong) > wrongPartMax)
    throw new Error(`${what}: ${block.answered} right answers, the others by status ${JSON.stringify(block.wrong)}`);
  return block;
}

/** The part of a block that judges a floor (starved.ts). */
export const floorBlockOf = (block: Pick<Block, 'perSecond' | 'cpuUs' | 'core'>): FloorBlock => ({
  perSecond: block.perSecond,
  cpuUs: systemCpuUs(block),
  core: block.core,
});

/** Added to a name: the same thing measured once more in each pair. The distance of its ratio from 1 is the noise of the table. */
export const againMark = ', again (A/A)';

/** The sum of all processes that share the core of the system under test, in microseconds for each request. */
export const systemCpuUs = ({ cpuUs }: Pick<Block, 'cpuUs'>): number =>
  Object.entries(cpuUs).reduce((sum, [name, us]) => (name === 'generator' ? sum : sum + us), 0);
