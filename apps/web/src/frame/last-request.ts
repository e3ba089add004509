/**
 * Records what the gateway said about the requests of this page (headers X-Gateway, Server-Timing and Traceresponse): which replica answered, how it
 * identified the caller, and how long each part took. The record stands outside of React, so that an answer redraws the session bar and nothing else.
 */
import type { Fetch } from '../api/request.ts';

export interface RequestNote {
  /** Counts up within this page load. */
  readonly number: number;
  readonly method: string;
  /** Without its query, so that no search shows in a screenshot. */
  readonly path: string;
  readonly status: number;
  readonly gateway: string | undefined;
  /** "hybrid", "reference", "jwt", "jwt-denylist"; undefined without a session. */
  readonly mode: string | undefined;
  /** "hit": known from the identity cache. "asked": auth was asked. "local", "refreshed": a signed token was verified, or renewed first. Others: "joined", "degraded", "none", "ended", "unavailable". */
  readonly identity: string | undefined;
  readonly totalMs: number | undefined;
  readonly budgetMs: number | undefined;
  /** The logs of the services name this request so. */
  readonly traceId: string | undefined;
}

export interface RequestLog {
  readonly subscribe: (listener: () => void) => () => void;
  /** Newest first. It is the same array until something is added. */
  readonly read: () => readonly RequestNote[];
  readonly add: (note: Omit<RequestNote, 'number'>) => void;
}

/** The panel of the session bar shows as many. */
export const noteCountMax = 6;

export function createRequestLog(): RequestLog {
  let notes: readonly RequestNote[] = [];
  let count = 0;
  const listeners = new Set<() => void>();
  return {
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    read: () => notes,
    add: (note) => {
      notes = [{ number: ++count, ...note }, ...notes].slice(0, noteCountMax);
      for (const listener of listeners) listener();
    },
  };
}

/** Records every answer of the API on its way through. A request without an answer leaves no record. */
export function recording(fetch: Fetch, log: RequestLog): Fetch {
  return async (path, init) => {
    const response = await fetch(path, init);
    log.add(noteOf(init.method ?? 'GET', path, response));
    return response;
  };
}

export function noteOf(
  method: string,
  path: string,
  { status, headers }: Pick<Response, 'status' | 'headers'>,
): Omit<RequestNote, 'number'> {
  const timings = parseServerTiming(headers.get('server-timing') ?? '');
  const { mode, identity } = decisionOf(timings.get('session')?.description);
  const left = timings.get('budget');
  return {
    method,
    path: path.split('?', 1)[0] ?? path,
    status,
    gateway: headers.get('x-gateway') ?? undefined,
    mode,
    identity,
    totalMs: timings.get('total')?.durationMs,
    budgetMs: Number(/of (\d+) ms/.exec(left?.description ?? '')?.[1]) || undefined,
    traceId: headers.get('traceresponse')?.split('-')[1],
  };
}

/** "hybrid hit" is a mode and a decision. "none", "ended" and "unavailable" are decisions alone. */
function decisionOf(description: string | undefined): Pick<RequestNote, 'mode' | 'identity'> {
  const words = description?.split(' ') ?? [];
  return words.length === 2 ? { mode: words[0], identity: words[1] } : { mode: undefined, identity: words[0] };
}

interface Entry {
  readonly durationMs: number | undefined;
  readonly description: string | undefined;
}

/** Server-Timing (W3C): `session;dur=0.1;desc="hybrid hit", total;dur=4`. A name that comes twice keeps its last entry. */
export function parseServerTiming(header: string): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const [entry] of header.matchAll(/(?:[^,"]|"(?:[^"\\]|\\.)*")+/g)) {
    const [name = '', ...parameters] = (entry.match(/(?:[^;"]|"(?:[^"\\]|\\.)*")+/g) ?? []).map((part) => part.trim());
    const valueOf = (key: string): string | undefined => parameters.find((part) => part.startsWith(`${key}=`))?.slice(key.length + 1);
    const duration = valueOf('dur');
    if (name === '') continue;
    entries.set(name, {
      durationMs: duration === undefined || Number.isNaN(Number(duration)) ? undefined : Number(duration),
      description: valueOf('desc')?.replace(/^"|"$/g, ''),
    });
  }
  return entries;
}
