import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { watchCrowd } from '@cloakroom/testing';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { launch, startTimeOf } from './child.ts';
import type { DummySpec } from './dummy.fixture.ts';
import { dummyCommand, dummyStack, journalOf } from './dummy.fixture.ts';
import { checkPortsAreFree } from './free-ports.ts';
import { readState, writeState } from './state.ts';
import { Supervisor } from './supervisor.ts';

/** Outside the ports of the shop (4000-4299), the browser tests and the integration tests. */
const base = 23_500;
const [low, middle, high] = [base + 10, base + 20, base + 30];
const chain: DummySpec[] = [
  { name: 'kafka', port: low },
  { name: 'auth', port: middle, needs: ['kafka'] },
  { name: 'gateway-1', port: high, needs: ['auth'] },
];
let dataDir: string;
let events: string[];
const open: Supervisor[] = [];

beforeEach(() => {
  dataDir = join(mkdtempSync(join(tmpdir(), 'cloakroom-supervisor-')), 'data');
  events = [];
});

afterEach(async () => {
  for (const supervisor of open.splice(0)) await supervisor.stop();
  rmSync(join(dataDir, '..'), { recursive: true, force: true });
});

function supervise(dummies: readonly DummySpec[]): Supervisor {
  const supervisor = new Supervisor({
    spec: dummyStack(base, dataDir, dummies),
    prepare: dummyCommand,
    onEvent: (event) => events.push(event.kind === 'note' ? event.text : `${event.process.spec.name} ${event.note ?? event.process.state}`),
    backoff: { firstMs: 20, maxMs: 80, resetAfterMs: 60_000 },
  });
  open.push(supervisor);
  return supervisor;
}

const journal = () => readFileSync(journalOf(dataDir), 'utf8').trim().split('\n');

it('starts each process after those it needs and ends it before them', async () => {
  const supervisor = supervise(chain);
  await supervisor.start({ fresh: false });
  expect(supervisor.processes.map(({ state }) => state)).toEqual(['ready', 'ready', 'ready']);
  await supervisor.stop();
  expect(journal()).toEqual(['start kafka', 'start auth', 'start gateway-1', 'end gateway-1', 'end auth', 'end kafka']);
  expect(readState(dataDir)).toBeUndefined();
});

it('reports a crashed process and starts it again, later after each crash', async () => {
  const supervisor = supervise(chain);
  await supervisor.start({ fresh: false });
  const auth = supervisor.find('auth');
  for (const delayMs of [20, 40, 80, 80]) {
    const before = auth.pid!;
    auth.kill('SIGKILL');
    expect(await auth.untilReplaced(before)).not.toBe(before);
    expect(events).toContain(`auth ended (SIGKILL), starting again in ${delayMs} ms`);
    expect(readState(dataDir)?.processes[1]).toMatchObject({ name: 'auth', state: 'ready', pid: auth.pid });
  }
  expect(auth.restarts).toBe(4);
  // No other process was disturbed.
  expect(journal().filter((line) => line === 'start kafka' || line === 'start gateway-1')).toHaveLength(2);
});

it('replaces a process whose code has changed: it ends as in a stop, that is no crash, and the others run on', async () => {
  const supervisor = supervise(chain);
  await supervisor.start({ fresh: false });
  const auth = supervisor.find('auth');
  const before = auth.pid!;
  await auth.replace();
  expect(auth.state).toBe('ready');
  expect(auth.pid).not.toBe(before);
  expect(auth.restarts).toBe(0);
  expect(journal().slice(3)).toEqual(['end auth', 'start auth']);
  expect(events.filter((event) => event.includes('ended'))).toEqual([]);
  // The successor is guarded like the first.
  const second = auth.pid!;
  auth.kill('SIGKILL');
  expect(await auth.untilReplaced(second)).not.toBe(second);
});

it('leaves nothing running when it is stopped while a process is replaced', async () => {
  const supervisor = supervise(chain);
  await supervisor.start({ fresh: false });
  const gateway = supervisor.find('gateway-1');
  const before = gateway.pid!;
  const replaced = gateway.replace();
  await supervisor.stop();
  await replaced;
  expect(startTimeOf(before)).toBeUndefined();
  expect(gateway.pid).toBeUndefined();
  expect(journal().filter((line) => line === 'start gateway-1')).toHaveLength(1);
});

/** The module notes in the journal that a process has loaded it. */
const noting = () => {
  const note = `appendFileSync(${JSON.stringify(journalOf(dataDir))}, 'load ' + process.pid + '\\n')`;
  return [`data:text/javascript,${encodeURIComponent(`import { appendFileSync } from 'node:fs'; ${note};`)}`];
};
const loadedBy = () => vi.waitFor(() => Number(/^load (\d+)$/m.exec(journal().join('\n'))![1]), { timeout: 30_000 });

it('a standby loads code beside the process that it replaces, and starts after its end', async () => {
  const supervisor = supervise(chain);
  await supervisor.start({ fresh: false });
  const auth = supervisor.find('auth');
  await auth.prepareSuccessor(noting());
  const standby = await loadedBy();
  await auth.replace();
  expect([auth.state, auth.pid, auth.restarts]).toEqual(['ready', standby, 0]);
  expect(journal().slice(3)).toEqual([`load ${standby}`, 'end auth', 'start auth']);
  // The one after it is launched as ever.
  await auth.replace();
  expect(auth.state).toBe('ready');
  expect(auth.pid).not.toBe(standby);
});

it.each(['given up', 'stopped'])('a standby that is %s leaves nothing running', async (how) => {
  const supervisor = supervise(chain);
  await supervisor.start({ fresh: false });
  const auth = supervisor.find('auth');
  await auth.prepareSuccessor(noting());
  const standby = await loadedBy();
  if (how === 'stopped') await supervisor.stop();
  else auth.dropSuccessor();
  await vi.waitFor(() => expect(startTimeOf(standby)).toBeUndefined(), { timeout: 30_000 });
  expect(journal().filter((line) => line === 'start auth')).toHaveLength(1);
});

it('keeps down what is taken away until it is given back', async () => {
  const supervisor = supervise(chain);
  await supervisor.start({ fresh: false });
  const auth = supervisor.find('auth');
  await auth.takeAway();
  expect(events.at(-1)).toBe('auth ended (SIGKILL), and is kept down');
  expect([auth.pid, auth.state]).toEqual([undefined, 'restarting']);
  // A restart comes within 20 ms, as the one of kafka shows.
  const kafka = supervisor.find('kafka');
  const before = kafka.pid!;
  kafka.kill('SIGKILL');
  await kafka.untilReplaced(before);
  expect(auth.pid).toBeUndefined();
  await auth.giveBack();
  expect([auth.pid === undefined, auth.state]).toEqual([false, 'ready']);
  expect(readState(dataDir)?.processes[1]).toMatchObject({ name: 'auth', state: 'ready', pid: auth.pid });
});

it('names the taken port, its remedy, and starts nothing', async () => {
  const stranger = createServer().listen(middle, '127.0.0.1');
  await new Promise((resolve) => stranger.once('listening', resolve));
  try {
    const supervisor = supervise(chain);
    await expect(supervisor.start({ fresh: false })).rejects.toMatchObject({
      message: `port ${middle} (auth) is in use`,
      remedy: expect.stringContaining('--port-base'),
    });
    expect(supervisor.processes.map(({ pid }) => pid)).toEqual([undefined, undefined, undefined]);
  } finally {
    stranger.close();
  }
});

it('names the shop that has the ports, and a start with the same profile on others', async () => {
  const neighbour = { provider: 'native', profile: 'usual', base: base - 200, gateways: [], startedAt: '', processes: [] } as const;
  const shops = join(dataDir, 'shops');
  const taken = Array.from({ length: 5 }, () => createServer());
  const ports = await Promise.all(
    taken.map(async (server) => {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    }),
  );
  mkdirSync(join(shops, 'native'), { recursive: true });
  writeState(join(shops, 'native'), { ...neighbour, supervisor: { pid: process.pid, startTime: startTimeOf(process.pid) } });
  try {
    const first = ports
      .slice(0, 3)
      .map((port) => `${port} (kafka)`)
      .join(', ');
    const drawn = dummyStack(base, join(shops, 'native-regions'), [chain[0]!]);
    const spec = { ...drawn, profile: 'regions', processes: drawn.processes.map((one) => ({ ...one, ports })) } as const;
    await expect(checkPortsAreFree(spec)).rejects.toMatchObject({
      message: `ports ${first} and 2 more are in use: a shop runs on port ${base - 200} (native, usual)`,
      remedy: `stop that shop with Ctrl-C, or choose others: npm start -- --profile regions --port-base ${spec.base + 1000}`,
    });
  } finally {
    for (const server of taken) server.close();
  }
});

it('leaves nothing running when one process does not come up, and repeats what that one said', async () => {
  const supervisor = supervise([chain[0]!, { ...chain[1]!, behaviour: 'dies' }, chain[2]!]);
  await expect(supervisor.start({ fresh: false })).rejects.toThrow(
    /auth did not come up: it ended \(exit code 3\); it said: fatal error: the planted one/,
  );
  expect(supervisor.processes.map(({ pid }) => pid)).toEqual([undefined, undefined, undefined]);
  expect(journal()).toEqual(['start kafka', 'start auth', 'end kafka']);
});

it('ends a process that ignores being asked, within its grace', async () => {
  const supervisor = supervise([{ ...chain[0]!, behaviour: 'ignores', stopGraceMs: 200 }]);
  await supervisor.start({ fresh: false });
  const pid = supervisor.find('kafka').pid!;
  const [crowd, began] = [watchCrowd(), performance.now()];
  await supervisor.stop();
  expect(performance.now() - began).toBeLessThan(200 + crowd.roomMs(2_800));
  expect(startTimeOf(pid)).toBeUndefined();
});

it('ends a stopped process too', async () => {
  const supervisor = supervise([chain[0]!]);
  await supervisor.start({ fresh: false });
  supervisor.find('kafka').kill('SIGSTOP');
  await supervisor.stop();
  expect(journal()).toEqual(['start kafka', 'end kafka']);
});

it('does not restart what crashes while everything is being stopped', async () => {
  const supervisor = supervise(chain);
  await supervisor.start({ fresh: false });
  supervisor.find('kafka').kill('SIGKILL');
  await supervisor.stop();
  expect(journal().filter((line) => line === 'start kafka')).toHaveLength(1);
  expect(supervisor.processes.every(({ pid }) => pid === undefined)).toBe(true);
});

it('refuses to start beside a run that uses the same data', async () => {
  await supervise([chain[0]!]).start({ fresh: false });
  await expect(supervise([chain[0]!]).start({ fresh: true })).rejects.toThrow(/running already/);
  expect(journal()).toEqual(['start kafka']);
});

it('ends what a killed run left behind, and nobody who got its number since', async () => {
  const left = launch({ name: 'left', command: 'sleep', args: ['600'], logFile: join(dataDir, 'left.log') });
  const stranger = spawn('sleep', ['600']);
  const entry = { state: 'ready' as const, url: '', restarts: 0, health: { kind: 'kafka' as const, port: 1 }, logFile: '' };
  writeState(dataDir, {
    provider: 'native',
    profile: 'usual',
    base,
    gateways: [],
    startedAt: '',
    supervisor: { pid: stranger.pid!, startTime: '1' },
    processes: [
      { ...entry, name: 'left', pid: left.pid, startTime: left.startTime },
      { ...entry, name: 'stranger', pid: stranger.pid, startTime: '1' },
    ],
  });
  try {
    await supervise([chain[0]!]).start({ fresh: false });
    expect(events).toContain('ended what an earlier run had left: left');
    expect((await left.exited).signal).toBe('SIGTERM');
    expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
  } finally {
    stranger.kill();
    left.kill('SIGKILL');
  }
});

it('keeps its data folder to its owner', async () => {
  await supervise([chain[0]!]).start({ fresh: false });
  expect(statSync(dataDir).mode & 0o077).toBe(0);
  expect(statSync(join(dataDir, 'state.json')).mode & 0o077).toBe(0);
});

it('takes its processes with it when it is killed itself', { skip: process.platform !== 'linux' }, async () => {
  const script = `
    import { Supervisor } from ${JSON.stringify(join(import.meta.dirname, 'supervisor.ts'))};
    import { dummyCommand, dummyStack } from ${JSON.stringify(join(import.meta.dirname, 'dummy.fixture.ts'))};
    const spec = dummyStack(${base}, ${JSON.stringify(dataDir)}, ${JSON.stringify([chain[0]])});
    await new Supervisor({ spec, prepare: dummyCommand, onEvent() {} }).start({ fresh: false });
    console.log('ready');`;
  const launcher = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => launcher.stdout.once('data', resolve));
  const { pid } = readState(dataDir)!.processes[0]!;
  launcher.kill('SIGKILL');
  await vi.waitFor(() => expect(startTimeOf(pid!)).toBeUndefined(), { timeout: 5_000 });
});
