/** Drives the load generator, and reads what each process of the system spent meanwhile. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Loaded, Note, Order, Target } from './load.worker.ts';
import { cpuMs, pinned } from './machine.ts';

export type { Latency, Loaded } from './load.worker.ts';

/** Who asks, and where. The position in the list of header sets moves on from block to block, so that "cold" stays cold. */
export class Load {
  readonly origin: string;
  readonly path: string;
  readonly headersFile: string;
  from = 0;

  constructor(origin: string, path: string, headersFile: string) {
    this.origin = origin;
    this.path = path;
    this.headersFile = headersFile;
  }
}

/** `cpuUs`: microseconds of processor time an answered request, by process. */
export interface Block extends Loaded {
  readonly cpuUs: Readonly<Record<string, number>>;
}

export type How = { readonly seconds: number; readonly warmUpSeconds: number } & (
  { readonly kind: 'closed'; readonly connections: number } | { readonly kind: 'open'; readonly rate: number }
);

export interface Generator {
  run(load: Load, how: How, pids: Readonly<Record<string, number>>): Promise<Block>;
  /** Writes header sets where the generator reads them. */
  headers(name: string, list: readonly Readonly<Record<string, string>>[]): string;
  stop(): Promise<void>;
}

export async function openGenerator(dir: string): Promise<Generator> {
  rmSync(dir, { recursive: true, force: true });
  // Cookies of test sessions are in there: for this user's eyes.
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const [command, args] = pinned('generator', process.execPath, [join(import.meta.dirname, 'load.worker.ts')]);
  const worker = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = once(worker, 'exit').then(() => Promise.reject(new Error('the load generator ended')));
  ended.catch(() => undefined);
  await Promise.race([noteOf(worker), ended]);
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
      worker.send(order);
      await Promise.race([noteOf(worker), ended]);
      const watched = { ...pids, generator: worker.pid! };
      const before = times(watched);
      const told = await Promise.race([noteOf(worker), ended]);
      if (!('result' in told)) throw new Error('failed' in told ? told.failed : 'the load generator lost its place');
      const after = times(watched);
      const { result } = told;
      load.from = result.next;
      const spent = Object.keys(watched).map((name) => [name, ((after[name]! - before[name]!) * 1000) / result.answered] as const);
      return { ...result, cpuUs: Object.fromEntries(spent) };
    },
    async stop() {
      if (worker.exitCode !== null) return;
      const gone = once(worker, 'exit');
      worker.disconnect();
      await gone;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function noteOf(worker: ChildProcess): Promise<Note> {
  const [note] = (await once(worker, 'message')) as [Note];
  return note;
}

const times = (pids: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, cpuMs(pid)]));

/** A benchmark of answers that were refusals would be a lie: more than this part wrong ends it. */
const wrongPartMax = 0.001;

export function checked(block: Block, what: string): Block {
  const wrong = Object.values(block.wrong).reduce((sum, count) => sum + count, 0);
  if (block.answered === 0 || wrong / (block.answered + wrong) > wrongPartMax)
    throw new Error(`${what}: ${block.answered} answers of 200, others by status ${JSON.stringify(block.wrong)}`);
  return block;
}

/** Of all processes that share the core of the system under test, microseconds a request. */
export const systemCpuUs = ({ cpuUs }: Block): number =>
  Object.entries(cpuUs).reduce((sum, [name, us]) => (name === 'generator' ? sum : sum + us), 0);
