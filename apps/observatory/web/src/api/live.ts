/** What the page knows of the running shop: the latest requests, the stack, and whether the Observatory answers. It reconnects by itself. */
import { useSyncExternalStore } from 'react';
import type { OceanStatus } from '@cloakroom/contracts';
import type { EdgeView, KeptView, LiveLine, RequestSummary, StackView } from '../../../src/api.ts';
import { traineeId } from './trainee.ts';
import { readLines } from './lines.ts';
import { askOtherTabs, recallKey, rememberKey } from './key.ts';
import { Failure, openStream, read } from './observatory.ts';
import { withRequests } from './request-log.ts';

export type Connection = 'connecting' | 'open' | 'away' | 'key';

export interface Live {
  readonly connection: Connection;
  readonly requests: readonly RequestSummary[];
  readonly stack: StackView | undefined;
  readonly edges: readonly EdgeView[];
  readonly kept: KeptView | undefined;
}

const reconnectDelayMs = 500;
/** A person who restarts the shop looks at this page meanwhile. */
const reconnectDelayMaxMs = 4_000;
/** The server tells the stack each second. A stream that is silent for this long is dead, also where the browser has not noticed. */
const silenceMaxMs = 8_000;

let live: Live = { connection: 'connecting', requests: [], stack: undefined, edges: [], kept: undefined };
const listeners = new Set<() => void>();

function change(next: Partial<Live>): void {
  live = { ...live, ...next };
  for (const listener of listeners) listener();
}

export function useLive(): Live {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    () => live,
  );
}

/** The ocean's answer to a command counts at once: the next stack is told within a second. */
export function sawOcean(ocean: OceanStatus): void {
  if (live.stack !== undefined) change({ stack: { ...live.stack, ocean } });
}

let wake: (() => void) | undefined;
/** Asks again at once: after a key was pasted, or because the person pressed "try now". */
export const reconnectNow = (): void => wake?.();

/** Follows the shop for as long as the page lives. */
export async function followShop(): Promise<never> {
  if (recallKey() === undefined) {
    const told = await askOtherTabs();
    if (told !== undefined) rememberKey(told);
  }
  for (let failures = 0; ; failures++) {
    try {
      await followOnce(() => (failures = 0));
      change({ connection: 'away' });
    } catch (error) {
      change({ connection: error instanceof Failure && error.kind === 'key' ? 'key' : 'away' });
    }
    await pause(Math.min(reconnectDelayMs * 2 ** failures, reconnectDelayMaxMs));
  }
}

function pause(ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  wake = resolve;
  return promise.finally(() => {
    clearTimeout(timer);
    wake = undefined;
  });
}

/** The stream opens before the lists are read: what happens between the two arrives twice instead of never. */
async function followOnce(onOpen: () => void): Promise<void> {
  const ended = new AbortController();
  const hear = (): void => {
    clearTimeout(silence);
    silence = setTimeout(() => ended.abort(), silenceMaxMs);
  };
  let silence = setTimeout(() => ended.abort(), silenceMaxMs);
  try {
    const body = await openStream('/api/live', ended.signal);
    onOpen();
    await readAll();
    for await (const line of readLines(body)) {
      hear();
      take(line as LiveLine);
    }
  } finally {
    clearTimeout(silence);
    ended.abort();
  }
}

async function readAll(): Promise<void> {
  const [stack, everybody, mine] = await Promise.all([
    read<StackView>('/api/stack'),
    read<readonly RequestSummary[]>('/api/requests'),
    read<readonly RequestSummary[]>(`/api/requests?mine=${encodeURIComponent(traineeId())}`),
  ]);
  // What an earlier start knew is gone: its requests have no view any more.
  change({ connection: 'open', stack, requests: withRequests([], [...everybody, ...mine]) });
}

function take(line: LiveLine): void {
  if (line.kind === 'request') change({ requests: withRequests(live.requests, [line.request]) });
  else if (line.kind === 'stack') change({ stack: line.stack, edges: line.edges, kept: line.kept });
}
