/** The routes of a gateway, from its own OpenAPI document, and how one random request is sent to one of them. */
import { Agent, request } from 'node:http';
import fc from 'fast-check';
import { gateways } from '../../e2e/kit/stack.ts';
import { anyText, mutated, nearly } from './fuzz.inputs.ts';

/** Twice the largest budget of a route: a request that takes longer hangs. */
const hangMs = 10_000;
const agent = new Agent({ keepAlive: true, maxSockets: 24 });

interface Door {
  readonly method: string;
  readonly path: string;
  readonly body: fc.Arbitrary<unknown> | undefined;
  readonly query: readonly string[];
}

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: never }>> };
}

export async function readDoors(): Promise<Door[]> {
  const text = await (await fetch(`${gateways[0]}/openapi.json`)).text();
  const { paths } = JSON.parse(text) as { paths: Record<string, Record<string, Operation>> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      // A live stream does not end by itself; another bound applies to it.
      .filter(([method]) => !(path === '/api/events' && method === 'get'))
      .map(([method, { parameters = [], requestBody }]) => ({
        method: method.toUpperCase(),
        path,
        body: requestBody === undefined ? undefined : nearly(requestBody.content['application/json']?.schema),
        query: parameters.filter((one) => one.in === 'query').map(({ name }) => name),
      })),
  );
}

export interface Throw {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** Node itself refuses to send a control character in a header, or one beyond Latin-1. The attacks send such raw bytes. */
const sendable = (text: string): string => text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '?');

/** @param tokens real ones, alive and dead. Cookies are changed copies of them: a token is never sent unchanged. */
export function throwsAt(doors: readonly Door[], tokens: readonly string[]): fc.Arbitrary<Throw> {
  const forged = fc.oneof(fc.constantFrom(...tokens).chain(mutated), anyText).filter((text) => !tokens.includes(text.trim()));
  const cookie = fc.oneof(
    forged.map((text) => `__Host-session=${text}`),
    fc.tuple(forged, forged).map(([one, two]) => `__Host-session=${one}; consistency=${two}; __Host-access=${one}; __Host-refresh=${two}`),
    anyText,
  );
  const headers = fc.record(
    {
      cookie,
      'consistency-token': fc.oneof(anyText, mutated('local:3:17')),
      traceparent: mutated(`00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`),
      'x-experiment-id': anyText,
      'idempotency-key': fc.oneof(anyText, fc.constant('one-key-for-many')),
      'x-passport': forged,
      authorization: anyText,
      'user-agent': anyText,
      'accept-language': anyText,
      'content-type': fc.constantFrom('application/json', 'text/plain', 'application/json; charset=utf-16', ''),
    },
    { requiredKeys: [] },
  );
  return fc.constantFrom(...doors).chain((door) => {
    const path = fc.array(anyText, { minLength: 3, maxLength: 3 }).map((texts) => {
      let at = 0;
      return door.path.replaceAll(/\{\w+\}/g, () => encodeURIComponent(texts[at++ % 3]!.toWellFormed()));
    });
    const query = fc.array(fc.tuple(fc.oneof(fc.constantFrom('', ...door.query), anyText), anyText), { maxLength: 4 });
    const body =
      door.body === undefined
        ? fc.constant(undefined)
        : fc.oneof({ weight: 8, arbitrary: door.body.map((value) => JSON.stringify(value)) }, { weight: 1, arbitrary: anyText });
    return fc.record({ path, query, body, headers, spoilt: fc.nat({ max: 20 }) }).map((made) => {
      const asked = made.query
        .map(([name, value]) => `${encodeURIComponent(name.toWellFormed())}=${encodeURIComponent(value.toWellFormed())}`)
        .join('&');
      const own = {
        origin: gateways[0],
        'content-type': 'application/json',
        ...Object.fromEntries(Object.entries(made.headers).map(([name, value]) => [name, sendable(value)])),
      };
      return { method: door.method, path: made.path + (asked === '' ? '' : `?${asked}`), headers: own, body: made.body };
    });
  });
}

export interface Answered {
  readonly status: number;
  readonly body: string;
  readonly setsSession: boolean;
}

/** @param from an address of this machine. Limits by address must not end the fuzzing early. */
export function send({ method, path, headers, body }: Throw, from: string, gateway: string): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port: new URL(gateway).port,
        method,
        path,
        agent,
        localAddress: from,
        headers: { ...headers, ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }) },
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => (text += part));
        answer.on('end', () => {
          clearTimeout(late);
          const cookies = answer.headers['set-cookie'] ?? [];
          resolve({
            status: answer.statusCode ?? 0,
            body: text,
            setsSession: cookies.some((one) => /^__Host-(session|access|refresh)=[^;]/.test(one)),
          });
        });
      },
    );
    const late = setTimeout(() => sent.destroy(new Error(`hangs: ${method} ${path}`)), hangMs);
    sent.on('error', (error) => {
      clearTimeout(late);
      reject(error);
    });
    sent.end(body);
  });
}
