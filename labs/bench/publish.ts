/**
 * `npm run bench -- publish` runs every benchmark that docs/performance.md shows, one after the other, each in a separate process with a
 * time bound. Results published at this commit are not measured again, so an interrupted run continues where it stopped.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { dataRoot } from '../../infra/stack/folders.ts';
import { performanceDoc, publishedDir } from './measuring/report.ts';

export interface Step {
  readonly name: string;
  readonly args: readonly string[];
  readonly quickArgs: readonly string[];
  /** The benchmark is killed after this time. The sum is the longest time of the whole. */
  readonly minutesMax: number;
}

/** Cheap ones come first: published results stay when time runs out. */
export const steps: readonly Step[] = [
  {
    name: 'store',
    args: ['--pairs', '5', '--seconds', '0.5'],
    quickArgs: ['--pairs', '1', '--seconds', '0.1', '--sessions', '1000'],
    minutesMax: 6,
  },
  {
    name: 'peers',
    args: ['--pairs', '5', '--seconds', '1'],
    quickArgs: ['--pairs', '1', '--seconds', '0.5'],
    minutesMax: 4,
  },
  {
    name: 'edge',
    args: ['--pairs', '5', '--seconds', '1', '--store-rtt', '0'],
    quickArgs: ['--pairs', '1', '--seconds', '0.5', '--store-rtt', '0', '--sessions', '2000'],
    minutesMax: 5,
  },
  {
    name: 'edge-distance',
    args: ['--pairs', '5', '--seconds', '1'],
    quickArgs: ['--pairs', '1', '--seconds', '0.5', '--sessions', '2000'],
    minutesMax: 5,
  },
  {
    name: 'cart',
    args: ['--pairs', '5', '--seconds', '2'],
    quickArgs: ['--quick'],
    minutesMax: 10,
  },
  {
    name: 'revocation',
    args: ['--trials', '2000', '--cuts', '10'],
    quickArgs: ['--trials', '20', '--cuts', '1', '--sessions', '10', '--modes', 'reference,hybrid'],
    minutesMax: 4,
  },
  {
    name: 'observatory',
    args: ['--pairs', '8', '--seconds', '1'],
    quickArgs: ['--pairs', '1', '--seconds', '0.1'],
    minutesMax: 6,
  },
  {
    name: 'regions',
    args: ['--pairs', '5', '--trials', '1000'],
    quickArgs: ['--quick'],
    minutesMax: 12,
  },
];

/** Used with `--quick`: a rehearsal, whose tables go to a copy of the documents. Figures of so few requests are worthless. */
export const rehearsalDir = join(dataRoot, 'bench', 'rehearsal');

export interface PublishRequest {
  readonly quick: boolean;
  /** Measures again even what was published at this commit. */
  readonly afresh: boolean;
  readonly commit: string;
  readonly doneFile?: string;
  readonly print: (line: string) => void;
  /** @returns the exit code of one benchmark */
  readonly run?: (step: Step, args: readonly string[]) => Promise<number>;
}

/** @returns the exit code: 0 when all of them are published */
export async function publishAll(request: PublishRequest): Promise<number> {
  const { quick, afresh, commit, print, run = runStep } = request;
  const doneFile = request.doneFile ?? join(dataRoot, 'bench', quick ? 'rehearsed.json' : 'published.json');
  const done = afresh ? [] : readDone(doneFile, commit);
  if (quick && done.length === 0 && request.run === undefined) copyDocs();
  const failed: string[] = [];
  for (const [index, step] of steps.entries()) {
    if (done.includes(step.name)) {
      print(`== ${step.name} (${index + 1} of ${steps.length}): done at this commit`);
      continue;
    }
    print(`== ${step.name} (${index + 1} of ${steps.length}), ${step.minutesMax} min at most`);
    const args = quick ? [...step.quickArgs, '--docs', rehearsalDir] : step.args;
    const code = await run(step, [...args, '--publish']);
    if (code === 0) writeDone(doneFile, commit, done, step.name);
    else failed.push(step.name);
  }
  print(failed.length === 0 ? 'all are published' : `not published: ${failed.join(', ')}. The same command measures these again`);
  return failed.length === 0 ? 0 : 1;
}

/** A service stops within 8 s of the end of the process that started it. The next benchmark listens on the same ports. */
const stopMs = 10_000;

/** All processes that it started end with it (infra/supervisor/child.ts). */
async function runStep({ name, minutesMax }: Step, args: readonly string[]): Promise<number> {
  const script = join(import.meta.dirname, 'bench.ts');
  const child = spawn(process.execPath, [script, name, ...args], { stdio: 'inherit', timeout: minutesMax * 60_000 });
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  if (signal === 'SIGTERM') {
    console.log(`${name} took longer than ${minutesMax} min`);
    await delay(stopMs);
  }
  return code ?? 1;
}

function copyDocs(): void {
  rmSync(rehearsalDir, { recursive: true, force: true });
  cpSync(publishedDir, join(rehearsalDir, 'bench'), { recursive: true });
  cpSync(performanceDoc, join(rehearsalDir, 'performance.md'));
}

interface Done {
  readonly commit: string;
  readonly names: readonly string[];
}

function readDone(file: string, commit: string): string[] {
  try {
    const done = JSON.parse(readFileSync(file, 'utf8')) as Done;
    return done.commit === commit ? [...done.names] : [];
  } catch {
    return [];
  }
}

function writeDone(file: string, commit: string, done: string[], name: string): void {
  done.push(name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify({ commit, names: done } satisfies Done));
}
