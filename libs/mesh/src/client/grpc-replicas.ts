/**
 * Which of a service's replicas a call goes to. One connection each, for as long as the client lives; only connected ones get calls, the one
 * with the fewest under way first, and in turn where they are equal. grpc-js' own list (`ipv4:a,b` with round_robin) takes no host names, and
 * goes on giving a paused peer every other call until keepalive has found it out.
 *
 * - A dead replica is no connection: it gets nothing, and is looked for again in the background (back-off of at most a second).
 * - A paused one looks connected until keepalive gives it up (`detectionMs`). Its first call waits for its deadline in vain; then the replica is
 *   a suspect and gets nothing while another is there, until it answers something or its connection is known to be lost.
 * - Nothing is sent twice here: a call waits for the first connection rather than failing on one and going to the next. What was on its way
 *   when a replica died comes back as `connection_lost`; only the caller knows whether that may be repeated, and it then reaches another one.
 *
 * With one address nothing of this happens: the connection is used as it is.
 */
import { type Client, connectivityState } from '@grpc/grpc-js';

/** How long keepalive takes to give a silent connection up. */
export const keepalive = { timeMs: 5_000, timeoutMs: 2_000 } as const;
/** When it is over the connection is either answered on or gone: a suspicion need not last longer. A second for timers that are late. */
const suspicionMs = keepalive.timeMs + keepalive.timeoutMs + 1_000;
/** A call that had less time than this proves nothing against the replica. */
const silenceMinMs = 250;
/** Every state is looked at again after this, whatever was or was not heard. */
const lookAgainMs = 1_000;

/** A call that picked the old connection a moment ago has begun by then. */
const leavingMs = 1_000;

/** `nothing`: the call was cancelled, or its connection was lost; that is no news of the replica. */
export type Heard = 'answer' | 'silence' | 'nothing';

export interface Replica {
  readonly client: Client;
  /** To be called once, when the call is over: with `silence` where its time ran out and the replica had said nothing. */
  ended(heard: Heard): void;
}

export interface Replicas {
  /** One for a call that begins now; a promise while none is connected. It resolves in time for `deadlineMs` (monotonic), connected or not. */
  pick(kind: 'unary' | 'stream', deadlineMs: number, signal: AbortSignal | undefined): Replica | Promise<Replica>;
  /** Whether there are several, and one of them is connected now: a call that is sent again would reach it. */
  hasSpare(): boolean;
  /**
   * Connects anew, as certificates have changed, and uses the old connections until the new ones stand. What is under way on those ends there;
   * then they are closed, gracefully: an open stream ends when it ends. Resolves when no call begins on an old one any more.
   */
  renew(): Promise<void>;
  close(): void;
}

interface Connection {
  readonly address: string;
  client: Client;
  /** Streams stay open for hours: counted with the rest they would keep all calls from a replica that has come back. */
  readonly underWay: Record<'unary' | 'stream', number>;
  suspectUntilMs: number;
}

export function openReplicas(addresses: readonly string[], connect: (address: string) => Client, nowMs: () => number): Replicas {
  const connections = addresses.map((address): Connection => ({
    address,
    client: connect(address),
    underWay: { unary: 0, stream: 0 },
    suspectUntilMs: Number.NEGATIVE_INFINITY,
  }));
  let turn = 0;
  const nextChange = sharedChange(connections);
  let closed = false;
  const renewal = openRenewal(connections, connect);

  const use = (connection: Connection, kind: 'unary' | 'stream'): Replica => {
    connection.underWay[kind]++;
    const sinceMs = nowMs();
    return {
      client: connection.client,
      ended(heard) {
        connection.underWay[kind]--;
        if (heard === 'answer') connection.suspectUntilMs = Number.NEGATIVE_INFINITY;
        else if (heard === 'silence' && nowMs() - sinceMs >= silenceMinMs) connection.suspectUntilMs = nowMs() + suspicionMs;
      },
    };
  };
  /** Asks all of them. */
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
      if (ready.length > 0) return use(best(ready, kind), kind);
      const refused = connections.every((connection) => stateOf(connection) === connectivityState.TRANSIENT_FAILURE);
      // Any of them then says it in gRPC's own words.
      if (closed || refused || signal?.aborted === true || nowMs() >= deadlineMs) return use(best(connections, kind), kind);
      await within(nextChange(), deadlineMs - nowMs(), signal);
    }
  };

  return {
    renew: renewal.renew,
    hasSpare: () => connections.length > 1 && connected().some(({ suspectUntilMs }) => nowMs() >= suspectUntilMs),
    pick(kind, deadlineMs, signal) {
      if (connections.length === 1) return use(connections[0]!, kind);
      const ready = connected();
      return ready.length > 0 ? use(best(ready, kind), kind) : firstConnected(kind, deadlineMs, signal);
    },
    close() {
      closed = true;
      renewal.close();
      for (const { client } of connections) client.close();
    },
  };
}

/** New connections in place of those that show old certificates; a renewal that begins while one runs takes its place. */
function openRenewal(connections: readonly Connection[], connect: (address: string) => Client) {
  let latest = 0;
  const leaving = new Set<Client>();
  const replace = (connection: Connection, next: Client): void => {
    const old = connection.client;
    connection.client = next;
    leaving.add(old);
    setTimeout(() => {
      leaving.delete(old);
      old.close();
    }, leavingMs).unref();
  };
  const renewOne = async (connection: Connection, renewal: number): Promise<void> => {
    const next = connect(connection.address);
    const channel = next.getChannel();
    // One that does not stand either has nothing to wait for.
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
    close(): void {
      latest += 1;
      for (const client of leaving) client.close();
    },
  };
}

/** Asking has one that is idle connect. */
const stateOf = ({ client }: Connection): connectivityState => client.getChannel().getConnectivityState(true);

/** One promise for all that wait: resolves when any state changes. */
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
    // A stream has no deadline: it waits from change to change.
    const timer = setTimeout(end, Math.min(leftMs, lookAgainMs));
    signal?.addEventListener('abort', end, { once: true });
    void change.then(end);
  });
}
