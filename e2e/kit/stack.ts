/** The running system as the tests see it: its gateways, and processes with ids that a test may stop, pause or kill. */
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { readState, testBases } from '@cloakroom/infra';
import { untilStopped } from '@cloakroom/testing';

/** The variants that the suite runs on, and where their ports begin. */
const variants = {
  embedded: { provider: 'embedded', database: 'sqlite', base: testBases['e2e-embedded'] },
  native: { provider: 'native', database: 'sqlite', base: testBases['e2e-native'] },
  'native-postgres': { provider: 'native', database: 'postgres', base: testBases['e2e-native-postgres'] },
  failures: { provider: 'native', database: 'postgres', base: testBases['e2e-failures'] },
  /** In the network of its own engine the suite takes the ports of the committed files instead. */
  containers: { provider: 'docker', database: 'sqlite', base: testBases['e2e-containers'] },
  /** Its two gateways are those of eu and us. */
  regions: { provider: 'native', profile: 'regions', database: 'sqlite', base: testBases['e2e-regions'] },
  cluster: { provider: 'native', profile: 'cluster', database: 'postgres', base: testBases['e2e-cluster'] },
} as const;
export type E2eProvider = keyof typeof variants;
const asked = process.env['CLOAKROOM_E2E_PROVIDER'] ?? 'embedded';
if (!(asked in variants)) throw new Error(`CLOAKROOM_E2E_PROVIDER must be one of ${Object.keys(variants).join(', ')}`);
export const e2eProvider = asked as E2eProvider;
export const variant = variants[e2eProvider];
const portBaseDefault = variant.base;
/** Another base, for a run beside a run. */
export const portBase = Number(process.env['CLOAKROOM_E2E_PORT_BASE'] ?? portBaseDefault);
const url = (offset: number) => `http://localhost:${portBase + offset}`;
export const gateways = (e2eProvider === 'cluster' ? [url(0), url(1), url(2)] : [url(0), url(1)]) as readonly [string, string, ...string[]];
/** With two regions: one more of us (strict-gateway.ts). */
export const strictGateway = url(2);
export const kafkaBrokers = (e2eProvider === 'cluster' ? [230, 232, 234] : [230]).map((offset) => `127.0.0.1:${portBase + offset}`);
const runName = `e2e-${e2eProvider}${portBase === portBaseDefault ? '' : `-${portBase}`}`;
export const dataDir = join(import.meta.dirname, '..', '..', '.cloakroom', runName);
/** The spans that the sink received, one on each line. The file is beside the data folder, because a fresh start empties that folder. */
export const spansFile = `${dataDir}-spans.jsonl`;
/** The spans that the Observatory would have received. They name persons. */
export const observedSpansFile = `${dataDir}-observed.jsonl`;

/** The name of the report. Another run on the same provider may run beside this one, or after it. */
export const reportName = process.env['CLOAKROOM_E2E_REPORT'] ?? e2eProvider;

/** A running shop has 5 minutes. */
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
  await expect.poll(() => runningPid(name, before), { timeout: 120_000, message: `${name} is started again` }).not.toBe(before);
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
        { timeout: 120_000, message: `${gateway} is ready` },
      )
      .toBe(200);
  }
}

/** Pauses a process while `during` runs: the kernel counts it as alive, but it answers no one. */
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
