/** Real sockets: what a library of this process sees while one of its connections is cut or slow. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { FaultSwitch } from '@cloakroom/contracts';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Connections } from './connections.ts';

/** Long, because what meets no fault must be faster than two of these on a machine with other work. */
const delayMs = 1_500;
const open = new Set<Socket>();
const remember = (message: unknown): void => void open.add((message as { socket: Socket }).socket);
let servers: Server[];
let wires: Connections;

beforeEach(async () => {
  subscribe('net.client.socket', remember);
  wires = new Connections(open);
  servers = [createServer(echo), createServer(echo)];
  for (const server of servers) await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterEach(() => {
  wires.apply([]);
  unsubscribe('net.client.socket', remember);
  for (const socket of open) socket.destroy();
  open.clear();
  for (const server of servers) server.close();
});

const echo = (socket: Socket): void => void socket.on('error', () => undefined).pipe(socket);
const portOf = (index: number): number => (servers[index]!.address() as AddressInfo).port;
const fault = (name: FaultSwitch['fault'], strengthMs = 0): FaultSwitch => ({
  id: '1',
  fault: name,
  strengthMs,
  at: 'gateway-1:auth',
  leftMs: 60_000,
  ends: { pid: process.pid, ports: [portOf(0)] },
});

async function opened(index: number): Promise<Socket> {
  const socket = connect(portOf(index), '127.0.0.1').on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

const closeOf = (socket: Socket): Promise<void> => new Promise((resolve) => void socket.once('close', () => resolve()));

async function roundTripMs(socket: Socket): Promise<number> {
  const since = performance.now();
  socket.write('x');
  await once(socket, 'data');
  return performance.now() - since;
}

it('a cut ends what is open and refuses what is new, to that place alone, and leaves nothing behind', async () => {
  const [there, elsewhere] = [await opened(0), await opened(1)];
  const ended = closeOf(there);
  wires.apply([fault('connection-cut')]);
  await ended;
  await expect(once(connect(portOf(0), '127.0.0.1'), 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await roundTripMs(elsewhere);
  await roundTripMs(await opened(1));
  wires.apply([]);
  await roundTripMs(await opened(0));
});

it('a slow connection holds each piece each way, keeps their order, and breaks when it is whole again', async () => {
  const before = await opened(0);
  const broke = closeOf(before);
  wires.apply([fault('connection-slow', delayMs)]);
  await broke;
  const slow = await opened(0);
  expect(await roundTripMs(slow)).toBeGreaterThanOrEqual(2 * delayMs - 1);
  const pieces: string[] = [];
  slow.setEncoding('utf8').on('data', (piece: string) => pieces.push(piece));
  for (const piece of ['a', 'b', 'c']) slow.write(piece);
  while (pieces.join('').length < 3) await once(slow, 'data');
  expect(pieces.join('')).toBe('abc');
  expect(await roundTripMs(await opened(1))).toBeLessThan(2 * delayMs);

  const over = closeOf(slow);
  wires.apply([]);
  await over;
  expect(await roundTripMs(await opened(0))).toBeLessThan(2 * delayMs);
});

it('a fault that is renewed as it is breaks nothing anew', async () => {
  const broke = closeOf(await opened(0));
  wires.apply([fault('connection-slow', delayMs)]);
  await broke;
  const slow = await opened(0);
  wires.apply([{ ...fault('connection-slow', delayMs), leftMs: 1_000 }]);
  await roundTripMs(slow);
  expect(slow.destroyed).toBe(false);
});
