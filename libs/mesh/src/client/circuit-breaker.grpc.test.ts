/** Replicas that take every connection and break it at each call, as a process does that one kind of request crashes. */
import { randomBytes } from 'node:crypto';
import { createServer, type ServerHttp2Stream } from 'node:http2';
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { AuthService, isProblem } from '@cloakroom/contracts';
import { createLogger, startTrace } from '@cloakroom/platform';
import { afterEach, expect, it, vi } from 'vitest';
import { connectMesh } from './grpc-client.ts';

const opened: (() => void)[] = [];
afterEach(() => opened.splice(0).forEach((close) => close()));

interface Peer {
  readonly port: number;
  /** Resets its connections, as the kernel does for a process that died. */
  readonly crash: () => void;
  readonly calls: () => number;
  /** Resolves once the client has a connection that is ready for calls. */
  readonly connected: () => Promise<void>;
}

async function openPeer(onCall: (stream: ServerHttp2Stream, crash: () => void) => void): Promise<Peer> {
  const sockets = new Set<Socket>();
  let calls = 0;
  let arrived = Promise.withResolvers<void>();
  const crash = (): void => {
    arrived = Promise.withResolvers();
    for (const socket of sockets) socket.resetAndDestroy();
    sockets.clear();
  };
  const server = createServer();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.on('session', (session) => {
    session.on('error', () => undefined);
    const { resolve } = arrived;
    // The client answers a ping after it has read the settings, and then it calls the connection ready.
    session.ping((error) => error ?? resolve());
  });
  server.on('stream', (stream) => {
    stream.on('error', () => undefined);
    calls += 1;
    onCall(stream, crash);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push(() => {
    crash();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, crash, calls: () => calls, connected: () => arrived.promise };
}

const answer = (stream: ServerHttp2Stream): void => {
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.end(Buffer.alloc(5));
};

function clientOf(...peers: readonly Peer[]) {
  const address = peers.map(({ port }) => `127.0.0.1:${port}`).join(',');
  const mesh = connectMesh(AuthService, { address, tls: undefined, log: createLogger('test', 'silent') });
  opened.push(() => mesh.close());
  return async () => {
    const told = await mesh.client.resolve({ budgetMs: 2_000, trace: startTrace(randomBytes) }, {});
    return isProblem(told) ? told.problem : 'ok';
  };
}

it('refuses at once when every replica takes connections and breaks them at each call', async () => {
  const peers: Peer[] = [];
  // Each waits until the client is connected to the other one, which then looks like a spare.
  for (const other of [1, 0]) peers.push(await openPeer((_, crash) => void peers[other]!.connected().then(crash)));
  const call = clientOf(...peers);
  const outcomes: string[] = [];
  for (let count = 0; count < 20; count += 1) outcomes.push(await call());
  expect(outcomes[0]).toBe('connection_lost');
  expect(outcomes.at(-1)).toBe('unavailable');
});

it('leaves a replica that breaks each connection, while another one answers', async () => {
  const breaking = await openPeer((_, crash) => crash());
  const answering = await openPeer((stream) => void breaking.connected().then(() => answer(stream)));
  const call = clientOf(breaking, answering);
  const outcomes: string[] = [];
  for (let count = 0; count < 20; count += 1) outcomes.push(await call());
  expect(outcomes.filter((outcome) => outcome !== 'ok')).toEqual(['connection_lost', 'connection_lost']);
  expect(breaking.calls()).toBe(2);
});

it('stays closed when one replica is restarted and then the other, each with calls under way', async () => {
  const underWay = 5;
  const held: ServerHttp2Stream[][] = [[], []];
  let hold = true;
  const open = (of: ServerHttp2Stream[]) => openPeer((stream) => (hold ? void of.push(stream) : answer(stream)));
  const [one, two] = [await open(held[0]!), await open(held[1]!)];
  const call = clientOf(one, two);
  // A call waits for the first connection alone, so the first ones go there until the other is connected too.
  const first = call();
  await Promise.all([one.connected(), two.connected()]);
  const answers = [first, ...Array.from({ length: 2 * underWay - 1 }, () => call())];
  await vi.waitFor(() => expect(held.map(({ length }) => length)).toEqual([underWay, underWay]));
  one.crash();
  await Promise.race(answers);
  await one.connected();
  two.crash();
  expect(await Promise.all(answers)).toEqual(answers.map(() => 'connection_lost'));
  hold = false;
  expect(await call()).toBe('ok');
});

it('finds a peer again that took a connection and said nothing while the client connected to it', async () => {
  const peer = await openPeer(answer);
  let isCut = true;
  const sockets: Socket[] = [];
  // A proxy of a vanished host says no byte, and does not end the connection.
  const network = createTcpServer((socket) => {
    sockets.push(socket.on('error', () => undefined));
    if (!isCut)
      sockets.push(
        socket
          .pipe(connect(peer.port, '127.0.0.1'))
          .on('error', () => undefined)
          .pipe(socket),
      );
  });
  await new Promise<void>((resolve) => network.listen(0, '127.0.0.1', resolve));
  opened.push(() => {
    for (const socket of sockets) socket.destroy();
    network.close();
  });
  const call = clientOf({ ...peer, port: (network.address() as AddressInfo).port });
  expect(await call()).not.toBe('ok');
  isCut = false;
  await vi.waitFor(async () => expect(await call()).toBe('ok'), { timeout: 60_000, interval: 200 });
}, 90_000);
