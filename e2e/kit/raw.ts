/** Bytes on a socket, as no correct HTTP client would send them. */
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { gateways } from './stack.ts';

/**
 * A gateway answers within its budgets, and closes connections that it refuses. A connection that is silent this long says nothing more.
 */
const quietMs = 300;
const giveUpMs = 8_000;

export interface RawAnswer {
  readonly status: number;
  readonly text: string;
}

/** Sends the bytes and returns everything that came back until the peer closed or fell silent. Chunks are sent one after the other. */
export function sendRaw(chunks: string | readonly string[], gateway: string = gateways[0]): Promise<string> {
  const { port } = new URL(gateway);
  const parts = typeof chunks === 'string' ? [chunks] : chunks;
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1');
    let received = '';
    let quiet: NodeJS.Timeout | undefined;
    const done = (): void => {
      clearTimeout(quiet);
      clearTimeout(late);
      socket.destroy();
      resolve(received);
    };
    const late = setTimeout(done, giveUpMs);
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      received += text;
      clearTimeout(quiet);
      quiet = setTimeout(done, quietMs);
    });
    socket.on('close', done);
    // A reset after the answer is an answer; a reset before it is none.
    socket.on('error', (error) => (received === '' && (error as NodeJS.ErrnoException).code !== 'ECONNRESET' ? reject(error) : done()));
    socket.on('connect', () => parts.forEach((part) => socket.write(part, 'latin1')));
  });
}

/** The answers that came back on one connection, in order. */
export function answersIn(received: string): RawAnswer[] {
  return received
    .split(/(?=HTTP\/1\.1 \d{3} )/)
    .filter((text) => text.startsWith('HTTP/1.1 '))
    .map((text) => ({ status: Number(text.slice(9, 12)), text }));
}

export const headOf = (method: string, path: string, headers: Readonly<Record<string, string>> = {}): string =>
  [
    `${method} ${path} HTTP/1.1`,
    `Host: ${new URL(gateways[0]).host}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ].join('\r\n') + '\r\n\r\n';

export interface PlainAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  readonly seconds: number;
}

interface PlainRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string;
  readonly gateway?: string;
  /** Another address of this machine: throttles by address must not let one test spoil another. */
  readonly from?: string;
}

/** One request by node:http, which neither adds headers of its own nor joins any. */
export function plain(
  path: string,
  { method = 'GET', headers = {}, body, gateway = gateways[0], from }: PlainRequest = {},
): Promise<PlainAnswer> {
  const { port } = new URL(gateway);
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      {
        host: '127.0.0.1',
        port,
        path,
        method,
        agent: false,
        timeout: giveUpMs,
        headers: {
          host: new URL(gateway).host,
          ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
          ...headers,
        },
        ...(from !== undefined && { localAddress: from }),
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (part: string) => (text += part));
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text, seconds: (performance.now() - began) / 1000 }),
        );
        answer.on('error', reject);
      },
    );
    sent.on('timeout', () => sent.destroy(new Error(`${method} ${path} was not answered`)));
    sent.on('error', (error: NodeJS.ErrnoException) => {
      // Only Linux has all of 127.0.0.0/8.
      if (error.code === 'EADDRNOTAVAIL') resolve(plain(path, { method, headers, gateway, ...(body !== undefined && { body }) }));
      else reject(error);
    });
    sent.end(body);
  });
}

let posts = 0;
/** Each request comes from another address. The rate limit is not under attack here, and other tests share 127.0.0.1. */
const nextAddress = (): string => `127.5.${process.pid % 250}.${(posts++ % 250) + 1}`;

/** A POST as a page of the shop would send it. */
export const posted = (path: string, body: unknown, more: PlainRequest = {}): Promise<PlainAnswer> =>
  plain(path, {
    method: 'POST',
    from: nextAddress(),
    ...more,
    headers: { origin: more.gateway ?? gateways[0], 'content-type': 'application/json', ...more.headers },
    body: JSON.stringify(body),
  });

export const sessionCookieOf = (token: string): string => `__Host-session=${token}`;

/** The session cookie that an answer sets. */
export function tokenIn(answer: PlainAnswer): string | undefined {
  const cookies = answer.headers['set-cookie'] ?? [];
  const found = (Array.isArray(cookies) ? cookies : [cookies]).map((cookie) => /^__Host-session=([^;]+)/.exec(cookie)?.[1]);
  return found.find((token) => token !== undefined);
}
