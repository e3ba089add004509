/**
 * One HTTP call to a gateway, as a browser would make it. It has its own source address: Linux answers on all of 127.0.0.0/8, so a client
 * can look like another machine without a proxy. It sends an Origin, and stops waiting after a bound.
 */
import { Agent, request, type IncomingHttpHeaders } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { historyNowMs } from '../history/history.ts';

export interface ShopCall {
  readonly gateway: string;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers: Readonly<Record<string, string>>;
  /** An address in 127.0.0.0/8, because the gateway limits each address. */
  readonly from: string;
  /** The request is sent and its answer is lost: the connection is cut after so many milliseconds, or the answer is thrown away. */
  readonly loses?: { readonly cutAfterMs: number } | 'answer' | undefined;
}

export interface ShopAnswer {
  /** 0 when no answer came. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  // oxlint-disable-next-line typescript/no-explicit-any -- the answer of the API; the caller knows its shape
  readonly body: any;
  /** Why no answer came. `ECONNREFUSED` means that nothing was sent. */
  readonly error?: string;
}

export interface ShopTransport {
  call(call: ShopCall): Promise<ShopAnswer>;
  close(): void;
}

/** The clock of the clients; a simulated shop brings its own. */
export interface ShopTime {
  nowMs(): number;
  sleep(ms: number): Promise<void>;
}

export const realTime: ShopTime = { nowMs: historyNowMs, sleep: (ms) => delay(ms) };

/** Above the largest budget of a route (7.5 s). After it the client has gone, and the request may still take effect. */
const answerTimeoutMs = 9_000;

export function httpTransport(): ShopTransport {
  const agents = new Map<string, Agent>();
  const agentFrom = (address: string): Agent => {
    const known = agents.get(address) ?? new Agent({ keepAlive: true, maxSockets: 8 });
    agents.set(address, known);
    return known;
  };
  return {
    call: (call) => exchange(call, agentFrom(call.from)),
    close: () => {
      for (const agent of agents.values()) agent.destroy();
    },
  };
}

function exchange({ gateway, method, path, body, headers, from, loses }: ShopCall, agent: Agent): Promise<ShopAnswer> {
  const sent = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve) => {
    const none = (error: string): void => resolve({ status: 0, headers: {}, body: undefined, error });
    const outgoing = request(
      new URL(path, gateway),
      {
        method,
        agent,
        // `localhost` may be ::1, which no address of 127.0.0.0/8 reaches.
        family: 4,
        localAddress: from,
        signal: AbortSignal.timeout(answerTimeoutMs),
        headers: {
          origin: gateway,
          ...headers,
          ...(sent !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(sent) }),
        },
      },
      (incoming) => {
        const parts: Buffer[] = [];
        incoming.on('data', (part: Buffer) => parts.push(part));
        incoming.on('error', (error) => none(error.message));
        incoming.on('end', () =>
          loses === 'answer'
            ? none('answer lost')
            : resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: parsed(parts) }),
        );
      },
    );
    outgoing.on('error', (error: NodeJS.ErrnoException) => none(error.code ?? error.message));
    if (typeof loses === 'object')
      outgoing.once('finish', () => void setTimeout(() => outgoing.destroy(new Error('connection cut')), loses.cutAfterMs));
    outgoing.end(sent);
  });
}

function parsed(parts: readonly Buffer[]): unknown {
  const text = Buffer.concat(parts).toString('utf8');
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
