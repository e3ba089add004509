/** A stand-in for a service, small enough to start in a tenth of a second. The specs that run it come first, its own program last. */
import { createServer } from 'node:http';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LaunchSpec } from './child.ts';
import type { ProcessName, ProcessSpec, StackSpec } from '../stack/stack.ts';

export interface DummySpec {
  readonly name: ProcessName;
  readonly port: number;
  readonly needs?: readonly ProcessName[];
  /** `dies` before it listens, `ignores` SIGTERM. */
  readonly behaviour?: 'good' | 'dies' | 'ignores';
  readonly readyTimeoutMs?: number;
  readonly stopGraceMs?: number;
}

export function dummyStack(base: number, dataDir: string, dummies: readonly DummySpec[]): StackSpec {
  const processes = dummies.map(
    ({ name, port, needs = [], behaviour = 'good', readyTimeoutMs = 10_000, stopGraceMs = 2_000 }): ProcessSpec => ({
      name,
      run: {
        kind: 'app',
        app: { app: 'cart', env: { DUMMY: JSON.stringify({ name, port, behaviour, journal: journalOf(dataDir) }) }, secrets: [] },
      },
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

/** Each dummy notes in this file when it starts and when it ends. */
export function journalOf(dataDir: string): string {
  return join(dataDir, 'logs', 'journal');
}

export function dummyCommand(spec: ProcessSpec, logFile: string): Promise<LaunchSpec> {
  const env = spec.run.kind === 'app' ? spec.run.app.env : {};
  return Promise.resolve({ name: spec.name, command: process.execPath, args: [import.meta.filename], env, logFile });
}

function serve({ name, port, behaviour, journal }: { name: string; port: number; behaviour: string; journal: string }): void {
  const note = (what: string) => appendFileSync(journal, `${what} ${name}\n`);
  note('start');
  if (behaviour === 'dies') {
    console.error('fatal error: the planted one');
    process.exit(3);
  }
  createServer((_, response) => response.end('ready')).listen(port, '127.0.0.1');
  process.on('SIGTERM', () => {
    note('end');
    if (behaviour !== 'ignores') process.exit(0);
  });
}

if (import.meta.main) serve(JSON.parse(process.env['DUMMY'] ?? '{}') as Parameters<typeof serve>[0]);
