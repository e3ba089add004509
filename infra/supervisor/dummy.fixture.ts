/** A stand-in for a service, small enough to start in a tenth of a second. The specs that run it come first, its own program last. */
import { createServer } from 'node:http';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { pauseRenewalMs, type ProcessAction, type ToObservatory, type ToSupervisor } from '@cloakroom/contracts';
import type { LaunchSpec } from './child.ts';
import type { Env, ProcessName, ProcessSpec, StackSpec } from '../stack/stack.ts';

export interface DummySpec {
  readonly name: ProcessName;
  readonly port: number;
  readonly needs?: readonly ProcessName[];
  /** `dies` before it listens, `ignores` SIGTERM. */
  readonly behaviour?: 'good' | 'dies' | 'ignores';
  /** Starts beside the others, with a channel to the supervisor: `GET /stack` tells what it heard, `POST /act/<process>/<action>` asks. */
  readonly observes?: boolean;
  readonly readyTimeoutMs?: number;
  readonly stopGraceMs?: number;
}

export function dummyStack(base: number, dataDir: string, dummies: readonly DummySpec[]): StackSpec {
  const processes = dummies.map(
    ({ name, port, needs = [], behaviour = 'good', observes = false, readyTimeoutMs = 60_000, stopGraceMs = 2_000 }): ProcessSpec => ({
      name,
      run: runOf(observes, { DUMMY: JSON.stringify({ name, port, behaviour, journal: journalOf(dataDir) }) }),
      ...(observes && { beside: true }),
      needs,
      ports: [port],
      url: `http://localhost:${port}`,
      health: { kind: 'http', urls: [`http://127.0.0.1:${port}/readyz`] },
      readyTimeoutMs,
      stopGraceMs,
    }),
  );
  return {
    provider: 'native',
    profile: 'usual',
    base,
    dataDir,
    processes,
    gateways: [`http://localhost:${base}`, `http://localhost:${base + 1}`],
  };
}

const runOf = (observes: boolean, env: Env): ProcessSpec['run'] =>
  observes ? { kind: 'observatory', env } : { kind: 'app', app: { app: 'cart', env, secrets: [] } };

/** Each dummy notes in this file when it starts and when it ends. */
export function journalOf(dataDir: string): string {
  return join(dataDir, 'logs', 'journal');
}

export function dummyCommand(spec: ProcessSpec, logFile: string): Promise<LaunchSpec> {
  const observes = spec.run.kind === 'observatory';
  const env = spec.run.kind === 'app' ? spec.run.app.env : spec.run.kind === 'observatory' ? spec.run.env : {};
  return Promise.resolve({ name: spec.name, command: process.execPath, args: [import.meta.filename], env, logFile, channel: observes });
}

function serve({ name, port, behaviour, journal }: { name: string; port: number; behaviour: string; journal: string }): void {
  const note = (what: string) => appendFileSync(journal, `${what} ${name}\n`);
  note('start');
  if (behaviour === 'dies') {
    console.error('fatal error: the planted one');
    process.exit(3);
  }
  const observer = process.send === undefined ? undefined : observe();
  createServer((request, response) => {
    if (observer === undefined || request.url === '/readyz') response.end('ready');
    else void observer(request.url ?? '').then((body) => response.end(JSON.stringify(body)));
  }).listen(port, '127.0.0.1');
  process.on('SIGTERM', () => {
    note('end');
    if (behaviour !== 'ignores') process.exit(0);
  });
}

/** An Observatory without a page. It renews its pauses as the real one does, and counts that. */
function observe(): (url: string) => Promise<unknown> {
  let stack: unknown;
  let renewals = 0;
  const paused = new Set<string>();
  const answers = new Map<number, (refusal: string | undefined) => void>();
  process.on('message', (message: ToObservatory) => {
    if (message.kind === 'stack') stack = message.stack;
    else answers.get(message.id)?.(message.refusal);
  });
  const say = (message: ToSupervisor): void => void process.send?.(message);
  setInterval(() => {
    renewals++;
    say({ kind: 'keep-paused', processes: [...paused] });
  }, pauseRenewalMs);
  return async (url) => {
    const [, , name = '', action] = url.split('/');
    if (url === '/stack') return { stack, renewals };
    const id = answers.size + 1;
    const answer = new Promise<string | undefined>((resolve) => answers.set(id, resolve));
    if (action === 'pause') paused.add(name);
    else paused.delete(name);
    say({ kind: 'act', id, process: name, action: action as ProcessAction });
    return { refusal: await answer };
  };
}

if (import.meta.main) serve(JSON.parse(process.env['DUMMY'] ?? '{}') as Parameters<typeof serve>[0]);
