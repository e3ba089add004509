/**
 * `npm run bench`. The list of benchmarks is in reported.ts. This file has `-- start`: the time until the shop is ready and the memory that
 * it takes, as a person sees it with `npm start`.
 */
import { spawn } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runCommandLine, UsageError } from '../../infra/cli/command-line.ts';
import { memoryOf, memoryOfTree } from '../../infra/supervisor/child.ts';
import { dataDirOf, repository } from '../../infra/stack/folders.ts';
import { readState } from '../../infra/supervisor/state.ts';
import { align, megabytes } from '../../infra/cli/status.ts';
import { baseDefault as benchBase, benchOptions, helpText, isReported, runReported, type Values } from './reported.ts';

/** Options of `npm start` for each variant. */
const variants = {
  embedded: { provider: 'embedded', database: 'sqlite' },
  native: { provider: 'native', database: 'sqlite' },
  'native + PostgreSQL': { provider: 'native', database: 'postgres' },
} as const;
type Variant = (typeof variants)[keyof typeof variants];
/** Ports apart from those of a shop in use. */
const base = 9300;
const readyTimeoutMs = 120_000;
/** Lets garbage of the start be collected and caches settle before memory is read. */
const settleMs = 5_000;

/** Options that are counts. Each benchmark says how small its counts may be. */
const counting = ['runs', 'pairs', 'seconds', 'sessions', 'trials', 'cuts', 'base'] as const;

await runCommandLine({ help: helpText, options: benchOptions, wordCountMax: 1 }, async (values, [name = '']) => {
  for (const option of counting)
    if (values[option] !== undefined && !(Number(values[option]) >= 0)) throw new UsageError(`--${option} ${values[option]}: a number`);
  if (name === 'start') await benchStart(Math.max(1, Number(values.runs ?? 3)));
  else if (name === 'telemetry') await (await import('./telemetry/telemetry.ts')).benchTelemetry(Math.max(1, Number(values.runs ?? 20)));
  else if (name === 'passports')
    await (await import('./sessions/passports.ts')).benchPassports(Math.max(1, Number(values.pairs ?? 15)), (line) => console.log(line));
  else if (name === 'fault-points')
    (await import('./observatory/fault-points.ts')).benchFaultPoints(Math.max(1, Number(values.pairs ?? 21)), (line) => console.log(line));
  else if (name === 'memory') await memory(values);
  else if (name === 'young-generation') await youngGeneration(values);
  else if (name === 'publish') return publish(values);
  else if (isReported(name)) return runReported(name, values);
  else throw new UsageError(name === '' ? 'which benchmark?' : `no benchmark ${name}`);
  return 0;
});

async function memory({ base, seconds, native = false }: Values): Promise<void> {
  const { benchMemory } = await import('./observatory/memory.ts');
  await benchMemory(Number(base ?? benchBase), Number(seconds ?? 60), native ? 'native' : 'embedded');
}

async function youngGeneration({ base, pairs, runs, seconds }: Values): Promise<void> {
  const { benchYoungGeneration } = await import('./observatory/young-generation.ts');
  await benchYoungGeneration({
    base: Number(base ?? benchBase),
    processes: Math.max(2, Number(runs ?? 3)),
    rounds: Math.max(1, Number(pairs ?? 10)),
    seconds: Number(seconds ?? 0.5),
  });
}

async function publish({ quick = false, afresh = false }: Values): Promise<number> {
  const [{ publishAll }, { changedSources, describeMachine }] = await Promise.all([
    import('./publish.ts'),
    import('./measuring/machine.ts'),
  ]);
  const changed = quick ? '' : changedSources();
  if (changed !== '') {
    console.error(`sources differ from the commit that the tables would name:\n${changed}\nRemedy: commit first, or rehearse with --quick`);
    return 1;
  }
  return publishAll({ quick, afresh, commit: describeMachine(new Date()).commit, print: (line) => console.log(line) });
}

interface Start {
  readonly readyMs: number;
  readonly bytes: number;
  readonly kind: string;
}

async function benchStart(runs: number): Promise<void> {
  console.log(`${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, ${megabytes(totalmem())}, Node ${process.version}\n`);
  const rows = [['provider', 'run', 'ready after', 'memory', 'launcher included']];
  for (const [name, variant] of Object.entries(variants)) {
    for (let run = 1; run <= runs; run++) {
      const { readyMs, bytes, kind } = await measure(variant, run === 1);
      rows.push([
        name,
        run === 1 ? 'first (empty data)' : String(run),
        `${(readyMs / 1_000).toFixed(1)} s`,
        `${megabytes(bytes)} ${kind}`,
        'yes',
      ]);
      console.log(rows.at(-1)!.join('  '));
    }
  }
  console.log('');
  for (const line of align(rows)) console.log(line);
}

async function measure({ provider, database }: Variant, fresh: boolean): Promise<Start> {
  const began = performance.now();
  const args = ['start', '--', '--infra', provider, '--database', database, '--port-base', String(base), ...(fresh ? ['--fresh'] : [])];
  const child = spawn('npm', args, { cwd: repository, stdio: 'ignore', detached: true });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  try {
    await untilReady(began);
    const readyMs = performance.now() - began;
    await delay(settleMs);
    return { readyMs, ...memoryOfRun(dataDirOf(provider, base, database), child.pid!) };
  } finally {
    // Sent to the group, as a terminal does at Ctrl-C: npm and the launcher both get it.
    process.kill(-child.pid!, 'SIGINT');
    await ended;
  }
}

async function untilReady(began: number): Promise<void> {
  const gateways = [base, base + 1].map((port) => `http://127.0.0.1:${port}/readyz`);
  while (performance.now() - began < readyTimeoutMs) {
    const answers = await Promise.all(
      gateways.map((url) =>
        fetch(url).then(
          (answer) => answer.ok,
          () => false,
        ),
      ),
    );
    if (answers.every(Boolean)) return;
    await delay(50);
  }
  throw new Error(`not ready after ${readyTimeoutMs / 1_000} s; see ${join('.cloakroom', `*-${base}`, 'logs')}`);
}

function memoryOfRun(dataDir: string, npmPid: number): { bytes: number; kind: string } {
  const state = readState(dataDir);
  if (state === undefined) throw new Error('the run left no state file');
  const launchers = [...new Set([npmPid, state.supervisor.pid])].map((pid) => memoryOf(pid));
  const started = state.processes.map(({ pid }) => (pid === undefined ? undefined : memoryOfTree(pid)));
  const memories = [...launchers, ...started];
  return { bytes: memories.reduce((sum, memory) => sum + (memory?.bytes ?? 0), 0), kind: memories.find(Boolean)?.kind ?? 'PSS' };
}
