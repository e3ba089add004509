/**
 * A TCP proxy on loopback that loses, delays and cuts on command. It understands just enough of Kafka's framing to lose one chosen answer
 * and to keep a client on its path. A broker's Metadata answer names the broker's own port; the proxy replaces it by its own port.
 */
import { createServer, connect } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** `127.0.0.1:<port>` */
  readonly address: string;
  /**
   * Delays each way, for bytes that arrive from now on. Or it delays answers alone, so that a round trip takes only one
   * millisecond more: the least that a timer can wait.
   */
  delay(ms: number, which?: 'each way' | 'answers'): void;
  /** Ends every connection, and each new one at once, until `mend`. */
  cut(): void;
  /** Requests pass and answers are lost, until `mend`. The request takes effect, and the client never hears of it. */
  mute(): void;
  /**
   * Holds one direction of the path, or both. Bytes and ends of connections wait until `mend`, and then arrive. It is as if a switch
   * dropped packets and TCP sent them again: no side is told, and no byte is lost from a stream that goes on.
   */
  hold(which: 'requests' | 'answers' | 'both'): void;
  /** Ends every connection at both ends by RST, as after a crash of a machine between them. New connections are accepted. */
  reset(): void;
  /** The number of connections that were reset. */
  resets(): number;
  mend(): void;
  /**
   * Kafka only. Loses the next answer to a request of this api key (0 is Produce), and also cuts the connection
   * for `cut`. Resolves when it has happened.
   */
  dropNextAnswer(apiKey: number, and: 'cut' | 'keep'): Promise<void>;
  close(): Promise<void>;
}

export interface ProxyTarget {
  readonly port: number;
  readonly host?: string;
  readonly protocol: 'kafka' | 'any';
}

interface Drop {
  readonly apiKey: number;
  readonly and: 'cut' | 'keep';
  readonly done: () => void;
}

interface State {
  fault: 'none' | 'cut' | 'mute';
  held: 'nothing' | 'requests' | 'answers' | 'both';
  requestDelayMs: number;
  answerDelayMs: number;
  readonly drops: Drop[];
}

interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
}

const metadataApiKey = 3;

export async function openTcpProxy(target: ProxyTarget): Promise<TcpProxy> {
  const state: State = { fault: 'none', held: 'nothing', requestDelayMs: 0, answerDelayMs: 0, drops: [] };
  const sockets = new Set<Socket>();
  const pairs = new Set<Pair>();
  const server = createServer((client) => {
    if (state.fault === 'cut') {
      client.destroy();
      return;
    }
    const upstream = connect({ port: target.port, host: target.host ?? '127.0.0.1', noDelay: true });
    client.setNoDelay(true);
    for (const [one, other] of [[client, upstream] as const, [upstream, client] as const]) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    if (target.protocol === 'kafka') relayKafka(client, upstream, state, () => (server.address() as AddressInfo).port);
    else relayBytes(client, upstream, state);
    const pair = { client, upstream };
    pairs.add(pair);
    client.on('close', () => pairs.delete(pair));
    flow(pair, state);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { ...controlsOf(state, sockets, pairs), ...placeOf(server, sockets) };
}

function placeOf(server: Server, sockets: ReadonlySet<Socket>) {
  const { port } = server.address() as AddressInfo;
  return {
    port,
    address: `127.0.0.1:${port}`,
    close: async (): Promise<void> => {
      endAll(sockets);
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function controlsOf(state: State, sockets: ReadonlySet<Socket>, pairs: ReadonlySet<Pair>): Omit<TcpProxy, 'port' | 'address' | 'close'> {
  let resetCount = 0;
  return {
    delay: (ms, which = 'each way') => {
      state.answerDelayMs = ms;
      state.requestDelayMs = which === 'answers' ? 0 : ms;
    },
    cut: () => {
      state.fault = 'cut';
      endAll(sockets);
    },
    mute: () => void (state.fault = 'mute'),
    hold: (which) => {
      state.held = which;
      for (const pair of pairs) flow(pair, state);
    },
    reset: () => {
      for (const { client, upstream } of pairs) {
        resetCount += 1;
        client.resetAndDestroy();
        upstream.resetAndDestroy();
      }
    },
    resets: () => resetCount,
    mend: () => {
      state.fault = 'none';
      state.held = 'nothing';
      for (const pair of pairs) flow(pair, state);
    },
    dropNextAnswer: (apiKey, and) => new Promise((done) => state.drops.push({ apiKey, and, done })),
  };
}

function endAll(sockets: ReadonlySet<Socket>): void {
  for (const socket of sockets) socket.destroy();
}

/** Bytes that are not read wait in the kernel, and then at their sender. */
function flow({ client, upstream }: Pair, { held }: State): void {
  if (held === 'requests' || held === 'both') client.pause();
  else client.resume();
  if (held === 'answers' || held === 'both') upstream.pause();
  else upstream.resume();
}

/** A timer may fire this much early, compared with the other clock. */
const timerSlackMs = 1;

/**
 * One direction of a connection. Bytes arrive in the order in which they were sent, as TCP promises, also
 * when the delay becomes shorter meanwhile.
 */
function wayTo(to: Socket, delayMs: () => number): (bytes: Buffer) => void {
  const waiting: { readonly bytes: Buffer; readonly dueMs: number }[] = [];
  const arrive = (): void => {
    const nowMs = performance.now() + timerSlackMs;
    while (waiting.length > 0 && waiting[0]!.dueMs <= nowMs) to.write(waiting.shift()!.bytes);
    if (waiting.length > 0) setTimeout(arrive, Math.max(0, waiting[0]!.dueMs - performance.now()));
  };
  return (bytes) => {
    const ms = delayMs();
    if (ms === 0 && waiting.length === 0) {
      to.write(bytes);
      return;
    }
    const dueMs = Math.max(performance.now() + ms, waiting.at(-1)?.dueMs ?? 0);
    if (waiting.push({ bytes, dueMs }) === 1) setTimeout(arrive, ms);
  };
}

function relayBytes(client: Socket, upstream: Socket, state: State): void {
  const request = wayTo(upstream, () => state.requestDelayMs);
  const answer = wayTo(client, () => state.answerDelayMs);
  client.on('data', request);
  upstream.on('data', (bytes: Buffer) => {
    if (state.fault !== 'mute') answer(bytes);
  });
}

function relayKafka(client: Socket, upstream: Socket, state: State, proxyPort: () => number): void {
  const apiKeys = new Map<number, number>();
  const request = wayTo(upstream, () => state.requestDelayMs);
  const answer = wayTo(client, () => state.answerDelayMs);
  client.on(
    'data',
    frames((frame) => {
      apiKeys.set(frame.readInt32BE(8), frame.readInt16BE(4));
      request(frame);
    }),
  );
  upstream.on(
    'data',
    frames((frame) => {
      const correlationId = frame.readInt32BE(4);
      const apiKey = apiKeys.get(correlationId);
      apiKeys.delete(correlationId);
      if (state.fault === 'mute') return;
      const at = state.drops.findIndex((drop) => drop.apiKey === apiKey);
      if (at >= 0) {
        const [drop] = state.drops.splice(at, 1);
        if (drop!.and === 'cut') client.destroy();
        drop!.done();
        return;
      }
      if (apiKey === metadataApiKey) replacePorts(frame, proxyPort());
      answer(frame);
    }),
  );
}

/** Cuts a stream into whole frames: i32 size, then so many bytes. */
function frames(onFrame: (frame: Buffer) => void): (bytes: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
      const end = 4 + rest.readInt32BE(0);
      onFrame(Buffer.from(rest.subarray(0, end)));
      rest = rest.subarray(end);
    }
  };
}

/** Metadata answer v3 to v8: i32 correlation id, i32 throttle, then brokers: i32 id, string host, i32 port, nullable string rack. */
function replacePorts(frame: Buffer, port: number): void {
  let at = 12;
  const skipString = (): void => {
    at += 2 + Math.max(0, frame.readInt16BE(at));
  };
  let brokers = frame.readInt32BE(at);
  at += 4;
  for (; brokers > 0; brokers--) {
    at += 4;
    skipString();
    frame.writeInt32BE(port, at);
    at += 4;
    skipString();
  }
}
