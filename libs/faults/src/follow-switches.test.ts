import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { faultLeaseMs, type FaultSwitch } from '@cloakroom/contracts';
import { createLogger, faultsArmed, meetsOwnFaults, troubleAt, waitInTrouble } from '@cloakroom/platform';
import { afterEach, expect, it, vi } from 'vitest';
import { followSwitches } from './follow-switches.ts';

const log = createLogger('test', 'silent');
const method = 'cloakroom.cart.v1.CartService/GetCart';
const mine: FaultSwitch = { id: '1', fault: 'rpc-slow', strengthMs: 70, at: 'CartService/GetCart', experiment: 'ada', leftMs: 600_000 };
const everybodys: FaultSwitch = { id: '2', fault: 'publish-fails', strengthMs: 0, leftMs: 600_000 };
/** The lease, one renewal on its way, and a machine with much other work. Without a lease the faults would stay on for ten minutes. */
const goneWithinMs = faultLeaseMs + 10_000;

const ends: (() => void)[] = [];
afterEach(() => ends.splice(0).forEach((end) => end()));

async function follow(switches: readonly FaultSwitch[], key = 'key', how = ''): Promise<{ observatory: ChildProcess; stop: () => void }> {
  const observatory = spawn(process.execPath, [join(import.meta.dirname, 'observatory.fixture.ts'), JSON.stringify(switches), how]);
  ends.push(() => void observatory.kill('SIGKILL'));
  const [port] = (await once(observatory.stdout.setEncoding('utf8'), 'data')) as [string];
  const stop = await followSwitches({ url: `http://127.0.0.1:${port.trim()}`, key, log });
  ends.push(stop);
  return { observatory, stop };
}

const untilArmed = () => vi.waitFor(() => expect(faultsArmed()).toBe(true), { timeout: 30_000, interval: 10 });

async function msUntilOff(): Promise<number> {
  const since = performance.now();
  await vi.waitFor(() => expect(faultsArmed()).toBe(false), { timeout: 30_000, interval: 10 });
  return performance.now() - since;
}

it('a switch is met by whom it is for, and by nobody else', async () => {
  await follow([mine, everybodys]);
  await untilArmed();
  expect(['ada', 'bob'].map(meetsOwnFaults)).toEqual([true, false]);
  expect(await troubleAt('rpc', method, 'ada')).toMatchObject({ delayMs: 70, fails: false });
  expect(await troubleAt('rpc', method, 'bob')).toBeUndefined();
  expect(await troubleAt('rpc', method, undefined)).toBeUndefined();
  expect(await troubleAt('rpc', 'cloakroom.cart.v1.CartService/AddItem', 'ada')).toBeUndefined();
  expect(await troubleAt('publish', 'cart.events', undefined)).toMatchObject({ fails: true });
});

it('a switch that is renewed stays on for longer than its lease', async () => {
  await follow([mine]);
  await untilArmed();
  const until = performance.now() + 2 * faultLeaseMs;
  await vi.waitFor(() => expect(performance.now()).toBeGreaterThan(until), { timeout: 10_000, interval: 5 });
  expect(faultsArmed()).toBe(true);
});

it.each(['SIGKILL', 'SIGSTOP'] as const)('%s of the Observatory leaves no fault behind', async (signal) => {
  const { observatory } = await follow([mine, everybodys]);
  await untilArmed();
  const trouble = await troubleAt('rpc', method, 'ada');
  observatory.kill(signal);
  const waiting = waitInTrouble({ ...trouble!, delayMs: 60_000 }, undefined);
  expect(await msUntilOff()).toBeLessThan(goneWithinMs);
  expect(await waiting).toBe(false);
  expect(troubleAt('rpc', method, 'ada')).toBeUndefined();
});

it.each(['SIGKILL', 'SIGSTOP'] as const)('%s of the Observatory leaves no cut connection behind', async (signal) => {
  const far = createServer().listen(0, '127.0.0.1');
  ends.push(() => void far.close());
  await once(far, 'listening');
  const { port } = far.address() as AddressInfo;
  const cut = { id: '3', fault: 'connection-cut', strengthMs: 0, at: 'cart:kafka', leftMs: 600_000 } as const;
  const reaches = () =>
    new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false));
      socket.once('close', () => resolve(false)).unref();
      ends.push(() => void socket.destroy());
    });
  const { observatory } = await follow([{ ...cut, ends: { pid: process.pid, ports: [port] } }]);
  await untilArmed();
  expect(await reaches()).toBe(false);
  observatory.kill(signal);
  expect(await msUntilOff()).toBeLessThan(goneWithinMs);
  expect(await reaches()).toBe(true);
});

it('a wait ends with its switch, while another stays on', async () => {
  const { observatory } = await follow([{ ...mine, leftMs: 600 }, everybodys]);
  await untilArmed();
  const trouble = await troubleAt('rpc', method, 'ada');
  observatory.kill('SIGSTOP');
  expect(await waitInTrouble({ ...trouble!, delayMs: 60_000 }, undefined)).toBe(false);
  expect(faultsArmed()).toBe(true);
});

it('a switch is over at its end', async () => {
  // The fixture tells the same rest for ever, as an Observatory would that never counts down. The first lease shows the end.
  const { observatory } = await follow([{ ...mine, leftMs: 400 }]);
  await untilArmed();
  observatory.kill('SIGSTOP');
  // Sooner than its lease would end it.
  expect(await msUntilOff()).toBeLessThan(faultLeaseMs - 50);
});

it('a process that stops ends its faults', async () => {
  const { stop } = await follow([mine]);
  await untilArmed();
  stop();
  expect(faultsArmed()).toBe(false);
});

it('an Observatory with another key switches nothing', async () => {
  const { observatory } = await follow([mine], 'another');
  // It asks again after an answer that it did not take, so the second answer proves that it has seen the first.
  for (let answers = 0; answers < 2; answers++) await once(observatory.stdout!, 'data');
  expect(faultsArmed()).toBe(false);
});

it.each([
  ['of a squatter without the key', [mine], 'squatter'],
  ['with a strength beyond the bounds', [{ ...mine, strengthMs: 3_600_000 }], ''],
  ['with one experiment’s switch of everybody’s fault', [{ ...everybodys, experiment: 'ada' }], ''],
  ['with an unknown fault', [{ ...mine, fault: 'everything-slow' as FaultSwitch['fault'] }], ''],
])('an answer %s switches nothing', async (_, switches, how) => {
  const { observatory } = await follow(switches, 'key', how);
  for (let answers = 0; answers < 2; answers++) await once(observatory.stdout!, 'data');
  expect(faultsArmed()).toBe(false);
});

it('an Observatory that answers at once is asked ten times a second at most', async () => {
  const { observatory } = await follow([mine], 'key', 'hasty');
  await once(observatory.stdout!, 'data');
  const since = performance.now();
  let told = 0;
  observatory.stdout!.on('data', (lines: string) => (told += lines.split('told').length - 1));
  await vi.waitFor(() => expect(told).toBeGreaterThanOrEqual(10), { timeout: 10_000, interval: 5 });
  expect((performance.now() - since) / told).toBeGreaterThan(85);
});
