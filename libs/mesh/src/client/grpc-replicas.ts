/**
 * Chooses the replica of a service that gets a call. Each replica has one connection, for as long as the client lives. Only connected replicas get
 * calls. The one with the fewest calls under way comes first, and equal ones take turns. grpc-js' own list (`ipv4:a,b` with round_robin) takes no
 * host names. It also goes on giving a paused peer every other call until keepalive has found it out.
 *
 * - A dead replica has no connection and gets no calls. The client looks for it again in the background (back-off of at most a second).
 * - A paused replica looks connected until keepalive gives it up (`detectionMs`). Its first call waits for its deadline in vain. Then the replica is
 *   a suspect, and gets no calls while another one is there. It stays one until it answers, or its connection is known to be lost.
 * - A replica may take connections and break each of them at a call. It looks connected again at once, and has nothing under way. So it is a suspect too,
 *   after a second connection broke with no answer since the first. One broken connection is a restart.
 * - A host that has vanished says nothing while it is dialled, and grpc-js waits for it without end. So a second connection is tried beside an attempt
 *   that takes too long, and the first that stands is used. The network is found again after it has healed.
 * - The client sends no call twice: a call waits for the first connection, rather than fail on one and go to the next. When a replica dies, the calls
 *   on their way come back as `connection_lost`. Only the caller knows whether one may be repeated; a repeated call then reaches another replica.
 *
 * With one address no replica is chosen, and none is a suspect.
 */
import { type Client, connectivityState } from '@grpc/grpc-js';

/** Keepalive gives up a silent connection after this. */
export const keepalive = { timeMs: 5_000, timeoutMs: 2_000 } as const;
/** After this the connection has either been answered on or is gone, so a suspicion need not last longer. It includes a second for late timers. */
const suspicionMs = keepalive.timeMs + keepalive.timeoutMs + 1_000;
/** A restarted replica loses one connection. Two in a row without an answer between them are more than a restart. */
const lostInRowToSuspect = 2;
/** A call that had less time than this proves nothing against the replica. */
const silenceMinMs = 250;
/** The client looks at every state again after this, whatever it heard. */
const lookAgainMs = 1_000;

/**
 * A handshake across an ocean takes a third of a second, and a crowded machine takes ten times as long. The time doubles with each attempt in vain,
 * as grpc-js cannot end the dial of a client that is closed: its socket stays as long as the peer is silent.
 */
const attemptMs = { first: 6_000, most: 30_000 } as const;

/** A call that picked the old connection a moment ago has begun by then. */
const leavingMs = 1_000;

/** `lost`: the connection broke. `nothing`: the call was cancelled, which is no news of the replica. */
export type Heard = 'answer' | 'silence' | 'lost' | 'nothing';

export interface Replica {
  readonly client: Client;
  /** Call it once, when the call is over. Pass `silence` where its time ran out and the replica had said nothing. */
  ended(heard: Heard): void;
}

export interface Replicas {
  /** A replica for a call that begins now; a promise while none is connected. It resolves in time for `deadlineMs` (monotonic), connected or not. */
  pick(kind: 'unary' | 'stream', deadlineMs: number, signal: AbortSignal | undefined): Replica | Promise<Replica>;
  /** Whether there are several replicas and one that is no suspect is connected now. A call that is sent again would reach it. */
  hasSpare(): boolean;
  /**
   * Connects anew after certificates have changed, and uses the old connections until the new ones stand. Calls under way on the old ones end there.
   * Then they are closed gracefully: an open stream ends when it ends. Resolves when no call begins on an old connection any more.
   */
  renew(): Promise<void>;
  close(): void;
}

interface Connection {
  readonly address: string;
  client: Client;
  /** Streams stay open for hours. Counted with the other calls, they would keep all calls from a replica that has come back. */
  readonly underWay: Record<'unary' | 'stream', number>;
  suspectUntilMs: number;
  /** Connections that broke under a call since the last answer. Calls that were under way on one of them end together, and count once. */
  lostInRow: number;
  lostAtMs: number;
  /** Undefined while it is connected, and while nobody asked it to connect. */
  attempt: Attempt | undefined;
}

interface Attempt {
  sinceMs: number;
  waitMs: number;
  /** Tries to connect beside the first client. */
  second: Client | undefined;
}

function unused(address: string, client: Client): Connection {
  return {
    address,
    client,
    underWay: { unary: 0, stream: 0 },
    suspectUntilMs: Number.NEGATIVE_INFINITY,
    lostInRow: 0,
    lostAtMs: Number.NEGATIVE_INFINITY,
    attempt: undefined,
  };
}

export function openReplicas(addresses: readonly string[], connect: (address: string) => Client, nowMs: () => number): Replicas {
  const connections = addresses.map((address) => unused(address, connect(address)));
  let turn = 0;
  const nextChange = sharedChange(connections);
  let closed = false;
  const renewal = openRenewal(connections, connect);
  const look = setInterval(() => {
    for (const connection of connections) renewal.tryBeside(connection, nowMs());
  }, lookAgainMs).unref();

  const use = (connection: Connection, kind: 'unary' | 'stream', wasConnected: boolean): Replica => {
    connection.underWay[kind]++;
    const call = { sinceMs: nowMs(), wasConnected };
    return {
      client: connection.client,
      ended(heard) {
        connection.underWay[kind]--;
        note(connection, heard, call, nowMs());
      },
    };
  };
  const connected = () => connections.filter((connection) => stateOf(connection) === connectivityState.READY);
  const best = (among: readonly Connection[], kind: 'unary' | 'stream'): Connection => {
    const trusted = among.filter(({ suspectUntilMs }) => nowMs() >= suspectUntilMs);
    const candidates = trusted.length > 0 ? trusted : among;
    const least = Math.min(...candidates.map(({ underWay }) => underWay[kind]));
    const equal = candidates.filter(({ underWay }) => underWay[kind] === least);
    return equal[turn++ % equal.length]!;
  };
  const firstConnected = async (kind: 'unary' | 'stream', deadlineMs: number, signal: AbortSignal | undefined): Promise<Replica> => {
    for (;;) {
      const ready = connected();
      if (ready.length > 0) return use(best(ready, kind), kind, true);
      const refused = connections.every((connection) => stateOf(connection) === connectivityState.TRANSIENT_FAILURE);
      // Any connection then reports the failure in gRPC's own words.
      if (closed || refused || signal?.aborted === true || nowMs() >= deadlineMs) return use(best(connections, kind), kind, false);
      await within(nextChange(), deadlineMs - nowMs(), signal);
    }
  };

  return {
    renew: renewal.renew,
    hasSpare: () => connections.length > 1 && connected().some(({ suspectUntilMs }) => nowMs() >= suspectUntilMs),
    pick(kind, deadlineMs, signal) {
      if (connections.length === 1) return use(connections[0]!, kind, false);
      const ready = connected();
      return ready.length > 0 ? use(best(ready, kind), kind, true) : firstConnected(kind, deadlineMs, signal);
    },
    close() {
      closed = true;
      clearInterval(look);
      renewal.close();
      for (const { client, attempt } of connections) {
        attempt?.second?.close();
        client.close();
      }
    },
  };
}

/** Keeps what the end of a call says about its replica. */
function note(
  connection: Connection,
  heard: Heard,
  call: { readonly sinceMs: number; readonly wasConnected: boolean },
  nowMs: number,
): void {
  if (heard === 'answer') {
    connection.suspectUntilMs = Number.NEGATIVE_INFINITY;
    connection.lostInRow = 0;
  }
  if (heard === 'lost' && call.wasConnected && call.sinceMs > connection.lostAtMs) {
    connection.lostAtMs = nowMs;
    connection.lostInRow += 1;
  }
  const silent = heard === 'silence' && nowMs - call.sinceMs >= silenceMinMs;
  if (silent || (heard === 'lost' && connection.lostInRow >= lostInRowToSuspect)) connection.suspectUntilMs = nowMs + suspicionMs;
}

function isTrying(client: Client): boolean {
  const state = client.getChannel().getConnectivityState(false);
  // After a refused dial a channel says TRANSIENT_FAILURE until it is connected, also during the attempts that follow.
  return state === connectivityState.CONNECTING || state === connectivityState.TRANSIENT_FAILURE;
}

/** Opens new connections in place of those that show old certificates. A renewal that begins while another runs replaces it. */
function openRenewal(connections: readonly Connection[], connect: (address: string) => Client) {
  let latest = 0;
  const leaving = new Set<Client>();
  const replace = (connection: Connection, next: Client): void => {
    const old = connection.client;
    if (connection.attempt?.second !== next) connection.attempt?.second?.close();
    connection.client = next;
    connection.attempt = undefined;
    leaving.add(old);
    setTimeout(() => {
      leaving.delete(old);
      old.close();
    }, leavingMs).unref();
  };
  const renewOne = async (connection: Connection, renewal: number): Promise<void> => {
    const next = connect(connection.address);
    const channel = next.getChannel();
    // An old connection that is down gives no reason to wait for the new one.
    while (channel.getConnectivityState(true) !== connectivityState.READY && stateOf(connection) === connectivityState.READY) {
      const untilMs = Date.now() + lookAgainMs;
      await new Promise<void>((resolve) => channel.watchConnectivityState(channel.getConnectivityState(true), untilMs, () => resolve()));
      if (renewal !== latest) return next.close();
    }
    if (renewal === latest) replace(connection, next);
    else next.close();
  };
  return {
    async renew(): Promise<void> {
      const renewal = (latest += 1);
      await Promise.all(connections.map((connection) => renewOne(connection, renewal)));
    },
    /** Looks at an attempt to connect. Call it now and then. */
    tryBeside(connection: Connection, nowMs: number): void {
      if (!isTrying(connection.client)) {
        connection.attempt?.second?.close();
        connection.attempt = undefined;
        return;
      }
      const attempt = (connection.attempt ??= { sinceMs: nowMs, waitMs: attemptMs.first, second: undefined });
      if (attempt.second?.getChannel().getConnectivityState(false) === connectivityState.READY) return replace(connection, attempt.second);
      if (nowMs - attempt.sinceMs < attempt.waitMs) return;
      attempt.second?.close();
      attempt.second = connect(connection.address);
      attempt.second.getChannel().getConnectivityState(true);
      Object.assign(attempt, { sinceMs: nowMs, waitMs: Math.min(2 * attempt.waitMs, attemptMs.most) });
    },
    close(): void {
      latest += 1;
      for (const client of leaving) client.close();
    },
  };
}

/** Reading the state makes an idle connection connect. */
const stateOf = ({ client }: Connection): connectivityState => client.getChannel().getConnectivityState(true);

/** One promise for all waiting calls: resolves when any state changes. */
function sharedChange(connections: readonly Connection[]): () => Promise<void> {
  let changing: Promise<void> | undefined;
  const ofOne = (connection: Connection) =>
    new Promise<void>((resolve) => {
      const untilMs = Date.now() + lookAgainMs;
      connection.client.getChannel().watchConnectivityState(stateOf(connection), untilMs, () => resolve());
    });
  return () => (changing ??= Promise.race(connections.map(ofOne)).finally(() => (changing = undefined)));
}

function within(change: Promise<void>, leftMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    // A stream has no deadline, so it waits from change to change.
    const timer = setTimeout(end, Math.min(leftMs, lookAgainMs));
    signal?.addEventListener('abort', end, { once: true });
    void change.then(end);
  });
}
