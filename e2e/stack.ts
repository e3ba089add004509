/** The running system as the tests see it: two gateways, and processes with ids that a test may stop, pause or kill. */
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { readState } from '@cloakroom/infra';

export type E2eProvider = 'embedded' | 'native';
export const e2eProvider: E2eProvider = process.env['CLOAKROOM_E2E_PROVIDER'] === 'native' ? 'native' : 'embedded';
/** Apart from the shop's own ports, and from each other, so that all may run beside a shop in use. Browsers refuse port 6000 (X11). */
export const portBase = e2eProvider === 'native' ? 6100 : 5000;
export const gateways = [`http://localhost:${portBase}`, `http://localhost:${portBase + 1}`] as const;
export const kafkaBrokers = [`127.0.0.1:${portBase + 230}`];
export const dataDir = join(import.meta.dirname, '..', '.cloakroom', `e2e-${e2eProvider}`);

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
    return await during();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}
