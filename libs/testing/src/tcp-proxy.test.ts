import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { openTcpProxy } from './tcp-proxy.ts';
import type { TcpProxy } from './tcp-proxy.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** A server that echoes, and a client that reaches it through the proxy. */
async function openPath() {
  const heard: string[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      heard.push(bytes.toString());
      socket.write(bytes);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => server.close());
  const serverPort = (server.address() as AddressInfo).port;
  const proxy = await openTcpProxy({ port: serverPort, protocol: 'any' });
  closing.push(() => proxy.close());
  return { proxy, heard, serverPort };
}

async function enter(
  proxy: TcpProxy,
): Promise<{ socket: Socket; answers: () => string; say: (text: string) => void; ended: () => string }> {
  const socket = connect({ port: proxy.port, host: '127.0.0.1' });
  closing.push(() => socket.destroy());
  let answers = '';
  let end = '';
  socket.on('data', (bytes) => (answers += bytes.toString()));
  socket.on('error', (error: NodeJS.ErrnoException) => (end = error.code ?? ''));
  socket.on('close', () => (end ||= 'closed'));
  await once(socket, 'connect');
  return { socket, answers: () => answers, say: (text) => void socket.write(text), ended: () => end };
}

/** A round trip by another path to the same server. After it, everything that was free to arrive has arrived. */
async function roundTripBeside(serverPort: number): Promise<void> {
  const beside = await openTcpProxy({ port: serverPort, protocol: 'any' });
  closing.push(() => beside.close());
  const client = await enter(beside);
  client.say('beside');
  await vi.waitFor(() => expect(client.answers()).toBe('beside'));
}

it('the proxy holds requests until it is mended, and loses none', async () => {
  const { proxy, heard, serverPort } = await openPath();
  const client = await enter(proxy);
  client.say('1');
  await vi.waitFor(() => expect(client.answers()).toBe('1'));
  proxy.hold('requests');
  client.say('2');
  const late = await enter(proxy);
  late.say('3');
  await roundTripBeside(serverPort);
  expect(heard).toEqual(['1', 'beside']);
  proxy.mend();
  await vi.waitFor(() => expect([client.answers(), late.answers()]).toEqual(['12', '3']));
});

it('the proxy holds answers until it is mended, and requests take effect meanwhile', async () => {
  const { proxy, heard, serverPort } = await openPath();
  const client = await enter(proxy);
  proxy.hold('answers');
  client.say('1');
  await vi.waitFor(() => expect(heard).toEqual(['1']));
  await roundTripBeside(serverPort);
  expect(client.answers()).toBe('');
  proxy.mend();
  await vi.waitFor(() => expect(client.answers()).toBe('1'));
});

it('the proxy holds both directions', async () => {
  const { proxy, heard, serverPort } = await openPath();
  const client = await enter(proxy);
  proxy.hold('both');
  client.say('1');
  await roundTripBeside(serverPort);
  expect(heard).toEqual(['beside']);
  proxy.mend();
  await vi.waitFor(() => expect(client.answers()).toBe('1'));
});

it('the proxy resets connections, counts them, and accepts new ones', async () => {
  const { proxy } = await openPath();
  const client = await enter(proxy);
  client.say('1');
  await vi.waitFor(() => expect(client.answers()).toBe('1'));
  proxy.reset();
  await vi.waitFor(() => expect(client.ended()).toBe('ECONNRESET'));
  expect(proxy.resets()).toBe(1);
  const next = await enter(proxy);
  next.say('2');
  await vi.waitFor(() => expect(next.answers()).toBe('2'));
});

it('the proxy keeps the order of delayed bytes, also when the delay ends', async () => {
  const { proxy, heard, serverPort } = await openPath();
  const client = await enter(proxy);
  proxy.delay(1_000);
  client.say('first ');
  await roundTripBeside(serverPort);
  proxy.delay(0);
  client.say('second');
  await vi.waitFor(() => expect(client.answers()).toHaveLength('first second'.length), { timeout: 5_000 });
  expect(heard.join('')).toBe('besidefirst second');
  expect(client.answers()).toBe('first second');
});
