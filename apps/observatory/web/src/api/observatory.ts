/** Asks the Observatory's server, and turns each failure into one of four kinds that the page can explain. */
import { recallKey } from './key.ts';

/** `key`: none, or of another start. `away`: the server does not answer. `missing`: there is no such thing. `refused`: it said no, with a reason. */
export type FailureKind = 'key' | 'away' | 'missing' | 'refused';

export class Failure extends Error {
  override readonly name = 'Failure';
  readonly kind: FailureKind;
  constructor(kind: FailureKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** The server answers out of its memory. A forgery or a restart waits for a process, so it may take longer. */
const readTimeoutMs = 5_000;
const actTimeoutMs = 30_000;

export const read = <Answer>(path: string, timeoutMs = readTimeoutMs): Promise<Answer> =>
  exchange('GET', path, undefined, AbortSignal.timeout(timeoutMs)).then(parse<Answer>);

/** @param timeoutMs by default as for a forgery or a restart */
export const act = <Answer>(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: object, timeoutMs = actTimeoutMs): Promise<Answer> =>
  exchange(method, path, body, AbortSignal.timeout(timeoutMs)).then(parse<Answer>);

/** The live stream has no end. @param signal ends it */
export async function openStream(path: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
  const { body } = await exchange('GET', path, undefined, signal);
  if (!body) throw new Failure('away', 'The stream has no body.');
  return body;
}

async function exchange(method: string, path: string, body: object | undefined, signal: AbortSignal): Promise<Response> {
  const key = recallKey();
  if (key === undefined) throw new Failure('key', 'This tab has no key.');
  const headers = { authorization: `Bearer ${key}`, ...(body && { 'content-type': 'application/json' }) };
  let response: Response;
  try {
    response = await fetch(path, { method, headers, signal, cache: 'no-store', ...(body && { body: JSON.stringify(body) }) });
  } catch {
    throw new Failure('away', 'The Observatory does not answer.');
  }
  if (response.ok) return response;
  throw await failureOf(response);
}

async function failureOf(response: Response): Promise<Failure> {
  const said = await reasonOf(response);
  if (response.status === 401) return new Failure('key', said ?? 'The key is of another start.');
  if (response.status === 404) return new Failure('missing', said ?? 'There is no such thing.');
  if (response.status >= 502) return new Failure('away', said ?? 'The Observatory is not available.');
  return new Failure('refused', said ?? `The Observatory refused this (${response.status}).`);
}

async function reasonOf(response: Response): Promise<string | undefined> {
  const body: unknown = await response.json().catch(() => undefined);
  if (typeof body !== 'object' || body === null) return undefined;
  const { detail, title, message } = body as Record<string, unknown>;
  return [detail, title, message].find((text) => typeof text === 'string');
}

async function parse<Answer>(response: Response): Promise<Answer> {
  const text = await response.text().catch(() => {
    throw new Failure('away', 'The answer broke off.');
  });
  if (text === '') return undefined as Answer;
  try {
    return JSON.parse(text) as Answer;
  } catch {
    throw new Failure('away', 'Something else answered instead of the Observatory.');
  }
}
