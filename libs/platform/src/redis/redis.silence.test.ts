/** The client drops a silent Redis connection when the server does not answer, never when this process was busy itself. */
import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, it, vi } from 'vitest';
import type { Command, Redis } from 'ioredis';
import { createLogger } from '../log.ts';
import { dropSilentSocket } from './redis.node.ts';
import { openRedis, redisReady } from './redis.ts';

const log = createLogger('test', 'silent');
/** Answers PONG to whatever comes. In a thread of its own, so that it answers while this one stalls. */
const answering = `
  const { createServer } = require('node:net');
  const server = createServer((socket) => socket.on('data', (data) => {
    for (const _ of String(data).matchAll(/^\\*\\d+/gm)) socket.write('+PONG\\r\\n');
  }));
  server.listen(0, '127.0.0.1', () => require('node:worker_threads').parentPort.postMessage(server.address().port));
`;
const toClose: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of toClose.splice(0)) await close();
});

function open(port: number) {
  const redis = openRedis({ url: `redis://127.0.0.1:${port}`, name: 'silence', log });
  toClose.push(() => redis.disconnect());
  return redis;
}

it('keeps the connection of a process that stalled for longer than the silence', async () => {
  const worker = new Worker(answering, { eval: true });
  toClose.push(() => worker.terminate());
  const port = await new Promise<number>((resolve) => worker.once('message', resolve));
  const redis = open(port);
  await redisReady(redis);
  const { stream } = redis;
  const asked = redis.ping().catch((error: Error) => error);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500);
  await asked;
  // The watch of the stalled command ends within its two turns.
  await vi.waitFor(async () => expect(await redis.ping()).toBe('PONG'));
  expect(redis.stream).toBe(stream);
  expect(stream.destroyed).toBe(false);
});

it('drops the connection of a server that owes an answer for a second, and reconnects', async () => {
  const sockets: Socket[] = [];
  // The server answers a client's first questions on the first connection alone. After that it is silent.
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on('data', (data) => {
      if (!String(data).includes('silent')) for (const _ of String(data).matchAll(/^\*\d+/gm)) socket.write('+OK\r\n');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  toClose.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  const redis = open((server.address() as AddressInfo).port);
  await redisReady(redis);
  await expect(redis.get('silent')).rejects.toThrow('Command timed out');
  expect(sockets).toHaveLength(1);
  await vi.waitFor(() => expect(sockets.length).toBeGreaterThan(1), { timeout: 5_000 });
  await redisReady(redis);
});

it('keeps the connection of a cluster node that owes nothing: its command was sent on, and timed out at another', async () => {
  const node = (owed: number) => {
    const stream = { bytesRead: 0, destroyed: false, destroy: () => (stream.destroyed = true) };
    const redis = { stream, commandQueue: { length: owed }, sendCommand: () => undefined } as unknown as Redis;
    dropSilentSocket(redis);
    redis.sendCommand({ promise: Promise.reject(new Error('Command timed out')) } as unknown as Command);
    return stream;
  };
  const [owesNothing, owes] = [node(0), node(1)];
  await vi.waitFor(() => expect(owes.destroyed).toBe(true), { timeout: 5_000 });
  expect(owesNothing.destroyed).toBe(false);
});
