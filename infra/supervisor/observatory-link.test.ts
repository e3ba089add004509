/** The Observatory beside a stack of dummies: what it is told, what it may do, and that nothing it did outlives it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LinkedStack } from '@cloakroom/contracts';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { DummySpec } from './dummy.fixture.ts';
import { dummyCommand, dummyStack } from './dummy.fixture.ts';
import { drawStack } from '../stack/stack.ts';
import { connectionsOf } from './observatory-link.ts';
import { readState } from './state.ts';
import { Supervisor } from './supervisor.ts';

const base = 23_600;
const auth: DummySpec = { name: 'auth', port: base + 10 };
const cart: DummySpec = { name: 'cart', port: base + 20, needs: ['auth'] };
const observatory: DummySpec = { name: 'observatory', port: base + 9, observes: true };
const door = { url: `http://localhost:${base + 9}`, pageKey: 'the-key-of-this-start' };
let dataDir: string;
let events: string[];
const open: Supervisor[] = [];
/** Processes beside a supervisor's own. */
const lonely: ChildProcess[] = [];

beforeEach(() => {
  dataDir = join(mkdtempSync(join(tmpdir(), 'cloakroom-observed-')), 'data');
  events = [];
});

afterEach(async () => {
  for (const child of lonely.splice(0)) child.kill('SIGKILL');
  for (const supervisor of open.splice(0)) await supervisor.stop();
  rmSync(join(dataDir, '..'), { recursive: true, force: true });
});

async function supervise(...dummies: readonly DummySpec[]): Promise<Supervisor> {
  const supervisor = new Supervisor({
    spec: dummyStack(base, dataDir, dummies),
    prepare: dummyCommand,
    onEvent: (event) => events.push(event.kind === 'note' ? event.text : `${event.process.spec.name} ${event.note ?? event.process.state}`),
    backoff: { firstMs: 20, maxMs: 80, resetAfterMs: 60_000 },
    observatory: door,
  });
  open.push(supervisor);
  await supervisor.start({ fresh: false });
  return supervisor;
}

/** The bound of each wait here: a lease, and a crowded machine. */
const patience = { timeout: 20_000, interval: 50 };
const until = (check: () => unknown) => vi.waitFor(check, patience);
const observed = (supervisor: Supervisor) => until(() => expect(supervisor.find('observatory').state).toBe('ready'));

async function ask<Answer>(path: string): Promise<Answer> {
  const answer = await fetch(`http://127.0.0.1:${base + 9}${path}`, { signal: AbortSignal.timeout(10_000) });
  return (await answer.json()) as Answer;
}
const act = (path: string) => ask<{ refusal?: string }>(`/act/${path}`);
const told = async () => (await ask<{ stack: LinkedStack }>('/stack')).stack.processes;
/** T: stopped by a signal. The kernel stops a process that runs a moment after the signal was sent. */
const stopped = (pid: number) => until(() => expect(kernelState(pid)).toBe('T'));
const kernelState = (pid: number) => /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
const onLinux = { skip: process.platform !== 'linux' };

it('a shop is ready before its Observatory, which starts after it', async () => {
  const supervisor = await supervise(auth, cart, observatory);
  expect(events.indexOf('cart ready')).toBeGreaterThan(-1);
  await observed(supervisor);
  expect(events.indexOf('observatory starting')).toBeGreaterThan(events.indexOf('cart ready'));
  expect(readState(dataDir)?.observatory).toEqual(door);
});

it('a shop whose Observatory does not start says so and lives on', async () => {
  const supervisor = await supervise(auth, { ...observatory, behaviour: 'dies' });
  await until(() => expect(events.at(-1)).toMatch(/^observatory did not come up: .*The shop runs without it$/s));
  expect(supervisor.find('auth').state).toBe('ready');
});

it('a taken port of the Observatory refuses no start of the shop', async () => {
  const stranger = createServer((socket) => socket.destroy()).listen(base + 9, '127.0.0.1');
  await new Promise((resolve) => stranger.once('listening', resolve));
  try {
    const supervisor = await supervise(auth, observatory);
    expect(supervisor.find('auth').state).toBe('ready');
  } finally {
    stranger.close();
  }
});

it('a killed Observatory is started again, and no other process is disturbed', async () => {
  const supervisor = await supervise(auth, observatory);
  await observed(supervisor);
  const [before, own] = [supervisor.find('auth').pid, supervisor.find('observatory').pid!];
  supervisor.find('observatory').kill('SIGKILL');
  await supervisor.find('observatory').untilReplaced(own);
  expect(supervisor.find('auth').pid).toBe(before);
  await until(async () => expect((await told()).map(({ name }) => name)).toEqual(['auth', 'observatory']));
});

it('the Observatory is told each change: states, pids and restarts', async () => {
  const supervisor = await supervise(auth, observatory);
  await observed(supervisor);
  const found = supervisor.find('auth');
  await until(async () => expect((await told())[0]).toMatchObject({ name: 'auth', state: 'ready', pid: found.pid, restarts: 0 }));
  const before = found.pid!;
  expect(await act('auth/kill')).toEqual({});
  await found.untilReplaced(before);
  await until(async () => expect((await told())[0]).toMatchObject({ state: 'ready', pid: found.pid, restarts: 1 }));
  expect(await act('auth/restart')).toEqual({});
  await found.untilReplaced(found.pid!);
  await until(async () => expect((await told())[0]).toMatchObject({ state: 'ready', pid: found.pid, restarts: 1 }));
});

it('a pause lasts while it is renewed, and ends when it is asked to', onLinux, async () => {
  const supervisor = await supervise(auth, observatory);
  await observed(supervisor);
  const pid = supervisor.find('auth').pid!;
  expect(await act('auth/pause')).toEqual({});
  await stopped(pid);
  const { renewals } = await ask<{ renewals: number }>('/stack');
  // Six renewals are more than a lease.
  await until(async () => expect((await ask<{ renewals: number }>('/stack')).renewals).toBeGreaterThan(renewals + 6));
  expect([supervisor.find('auth').state, kernelState(pid)]).toEqual(['paused', 'T']);
  expect(await act('auth/resume')).toEqual({});
  expect(supervisor.find('auth').state).toBe('ready');
  expect(kernelState(pid)).not.toBe('T');
});

it.each(['SIGKILL', 'SIGSTOP'] as const)('a paused process runs on after its Observatory got %s', onLinux, async (signal) => {
  const supervisor = await supervise(auth, observatory);
  await observed(supervisor);
  const pid = supervisor.find('auth').pid!;
  await act('auth/pause');
  await stopped(pid);
  const lost = supervisor.find('observatory').pid!;
  supervisor.find('observatory').kill(signal);
  await until(() => expect(kernelState(pid)).not.toBe('T'));
  expect([supervisor.find('auth').state, supervisor.find('auth').pid]).toEqual(['ready', pid]);
  if (signal === 'SIGSTOP') process.kill(lost, 'SIGCONT');
});

it('a process that its dead supervisor had paused runs on', onLinux, async () => {
  const module = join(import.meta.dirname, 'run-on-when-alone.ts');
  const script = `
    const { spawn } = await import('node:child_process');
    const { runOnWhenAlone } = await import(${JSON.stringify(module)});
    const { pid } = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
    runOnWhenAlone(pid);
    process.kill(pid, 'SIGSTOP');
    process.stdout.write(String(pid));
    setInterval(() => undefined, 1_000);`;
  const lost = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  lonely.push(lost);
  const [text] = (await once(lost.stdout, 'data')) as [Buffer];
  const pid = Number(text.toString());
  await stopped(pid);
  lost.kill('SIGKILL');
  await until(() => expect(kernelState(pid)).not.toBe('T'));
  process.kill(pid, 'SIGKILL');
});

it('two restarts at once are one, and leave one process', onLinux, async () => {
  const supervisor = await supervise(auth, observatory);
  await observed(supervisor);
  const found = supervisor.find('auth');
  const before = found.pid!;
  const [first, second] = [found.replace(), found.replace()];
  expect(second).toBe(first);
  // The Observatory may ask too: refused while the old one leaves, and the same replacement after that.
  await act('auth/restart');
  await first;
  await found.untilReplaced(before);
  const successor = found.pid!;
  await supervisor.stop();
  expect(() => process.kill(successor, 0)).toThrow();
});

it('a stop lets a paused process end in order', onLinux, async () => {
  const supervisor = await supervise(auth, observatory);
  await observed(supervisor);
  await act('auth/pause');
  await supervisor.stop();
  expect(readFileSync(join(dataDir, 'logs', 'journal'), 'utf8')).toContain('end auth');
});

it('an action on what is not there is refused with a reason', async () => {
  const supervisor = await supervise(auth, observatory);
  await observed(supervisor);
  expect(await act('kafka/pause')).toEqual({ refusal: 'There is no process kafka in this stack.' });
});

it('a connection that may be cut is one that a service opens: to services that it needs, and to its own stores', () => {
  const { processes, ...rest } = drawStack({ provider: 'native', base, dataDir });
  const connections = Object.fromEntries(processes.map((spec) => [spec.name, connectionsOf(spec, { processes, ...rest }).connectsTo]));
  expect(connections).toMatchObject({
    auth: ['redis-sessions', 'kafka'],
    cart: ['redis-carts', 'kafka', 'auth'],
    catalog: ['auth'],
    'gateway-1': ['kafka', 'auth', 'cart', 'profile', 'catalog', 'orders'],
    kafka: undefined,
  });
});
