/** The running system as the tests see it: its gateways, and processes with ids that a test may stop, pause or kill. */
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { readState } from '@cloakroom/infra';
import { untilStopped } from '@cloakroom/testing';

/** What the suite runs on, and where its ports begin. */
const variants = {
  embedded: { provider: 'embedded', database: 'sqlite', base: 5000 },
  native: { provider: 'native', database: 'sqlite', base: 6100 },
  'native-postgres': { provider: 'native', database: 'postgres', base: 6400 },
  failures: { provider: 'native', database: 'postgres', base: 6700 },
  /** In a network of its own engine the suite takes the ports of the committed files instead. */
  containers: { provider: 'docker', database: 'sqlite', base: 30600 },
  cluster: { provider: 'native', profile: 'cluster', database: 'postgres', base: 30300 },
} as const;
export type E2eProvider = keyof typeof variants;
const asked = process.env['CLOAKROOM_E2E_PROVIDER'] ?? 'embedded';
if (!(asked in variants)) throw new Error(`CLOAKROOM_E2E_PROVIDER must be one of ${Object.keys(variants).join(', ')}`);
export const e2eProvider = asked as E2eProvider;
export const variant = variants[e2eProvider];
/** Apart from the shop's own ports, and from each other, so that all may run beside a shop in use. Browsers refuse port 6000 (X11). */
const portBaseDefault = variant.base;
/** Another one, for a run beside a run. */
export const portBase = Number(process.env['CLOAKROOM_E2E_PORT_BASE'] ?? portBaseDefault);
const url = (offset: number) => `http://localhost:${portBase + offset}`;
export const gateways = (e2eProvider === 'cluster' ? [url(0), url(1), url(2)] : [url(0), url(1)]) as readonly [string, string, ...string[]];
export const kafkaBrokers = (e2eProvider === 'cluster' ? [230, 232, 234] : [230]).map((offset) => `127.0.0.1:${portBase + offset}`);
const runName = `e2e-${e2eProvider}${portBase === portBaseDefault ? '' : `-${portBase}`}`;
export const dataDir = join(import.meta.dirname, '..', '..', '.cloakroom', runName);
/** What the span sink was sent, a span a line. Beside the data, as a fresh start empties that. */
export const spansFile = `${dataDir}-spans.jsonl`;

/** Where its report goes: another run on the same provider may be beside it, or after. */
export const reportName = process.env['CLOAKROOM_E2E_REPORT'] ?? e2eProvider;

/** 5 minutes in a shop. */
export const accessTokenLifetimeMs = 15_000;

export function processId(name: string): number {
  const pid = readState(dataDir)?.processes.find((process) => process.name === name)?.pid;
  if (pid === undefined) throw new Error(`${name} does not run`);
  return pid;
}

/** Kills a process and waits until another one has taken its place and the whole stack is ready again. */
export async function killAndWaitForSuccessor(name: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  const before = processId(name);
  process.kill(before, signal);
  await expect.poll(() => runningPid(name, before), { timeout: 30_000, message: `${name} is started again` }).not.toBe(before);
  await waitUntilReady();
  expect(processId(name), 'the process was really replaced').not.toBe(before);
}

function runningPid(name: string, before: number): number {
  const entry = readState(dataDir)?.processes.find((process) => process.name === name);
  return entry?.pid !== undefined && entry.state === 'ready' ? entry.pid : before;
}

export async function waitUntilReady(): Promise<void> {
  for (const gateway of gateways) {
    await expect
      .poll(
        () =>
          fetch(`${gateway}/readyz`).then(
            (answer) => answer.status,
            () => 0,
          ),
        { timeout: 45_000, message: `${gateway} is ready` },
      )
      .toBe(200);
  }
}

/** Pauses a process while `during` runs: alive for the kernel, silent for everyone else. */
export async function whilePaused<T>(name: string, during: () => Promise<T>): Promise<T> {
  const pid = processId(name);
  process.kill(pid, 'SIGSTOP');
  try {
    await untilStopped(pid);
    return await during();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}
