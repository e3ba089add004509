/** The Observatory of the lab's shop: the switches of its faults, and a request hop by hop. */
import { setTimeout as delay } from 'node:timers/promises';
import { faultMaxMs, type FaultName } from '@cloakroom/contracts';
import type { ObservatoryDoor } from '../../infra/supervisor/state.ts';

/** The fault that makes a hop slow, and the lanes in which its time shows. */
export interface Hop {
  readonly fault: FaultName;
  readonly at: string;
  readonly lanes: readonly string[];
}

/** The hops of a check-out that can be made slow. Each fault stands at a point of the real code (libs/platform/src/faults.ts). */
export const hops = {
  auth: { fault: 'rpc-slow', at: 'AuthService/Resolve', lanes: ['auth'] },
  cart: { fault: 'rpc-slow', at: 'CartService/PrepareOrder', lanes: ['cart'] },
  catalog: { fault: 'rpc-slow', at: 'CatalogService/GetProducts', lanes: ['catalog'] },
  profile: { fault: 'rpc-slow', at: 'ProfileService/GetProfile', lanes: ['profile'] },
  log: { fault: 'publish-slow', at: 'order.events', lanes: ['kafka'] },
} as const satisfies Readonly<Record<string, Hop>>;
export type HopName = keyof typeof hops;
export const hopNames = Object.keys(hops) as HopName[];

/** The part of a view that is used here (apps/observatory/src/api.ts has all of it). */
export interface Told {
  readonly path: readonly { readonly lane: string; readonly durationMs: number; readonly kind: string }[];
  readonly spans: readonly { readonly lane: string; readonly durationMs: number }[];
}

export interface Observed {
  slow(hop: HopName, ms: number): Promise<void>;
  restore(hop: HopName): Promise<void>;
  /** @returns the request once all spans of these hops have come; undefined where they did not come in time */
  whole(traceId: string, needed: readonly HopName[]): Promise<Told | undefined>;
}

/** Spans leave each 200 ms, and a busy machine takes longer. */
const spansTimeoutMs = 20_000;
const lookIntervalMs = 100;
const readyTimeoutMs = 60_000;

export async function openObserved({ url, pageKey }: ObservatoryDoor): Promise<Observed> {
  const api = (method: string, path: string, body?: object): Promise<Response> =>
    fetch(`${url}/api${path}`, {
      method,
      headers: { authorization: `Bearer ${pageKey}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
  await until(readyTimeoutMs, async () => (await api('GET', '/faults').catch(() => undefined))?.ok === true);
  return {
    async slow(hop, ms) {
      const { fault, at } = hops[hop];
      const answer = await api('PUT', `/faults/${fault}`, { everybody: true, at, strengthMs: ms, forMs: faultMaxMs });
      if (!answer.ok) throw new Error(`${fault} ${at}: ${answer.status} ${await answer.text()}`);
    },
    async restore(hop) {
      const { on } = (await (await api('GET', '/faults')).json()) as { on: readonly { id: string; at?: string }[] };
      for (const { id } of on.filter(({ at }) => at === hops[hop].at)) await api('DELETE', `/faults/${id}`);
    },
    async whole(traceId, needed) {
      let told: Told | undefined;
      await until(spansTimeoutMs, async () => {
        const answer = await api('GET', `/requests/${traceId}`);
        const view = answer.ok ? ((await answer.json()) as Told) : undefined;
        if (view !== undefined && needed.every((hop) => longestMs(view, hop) > 0) && view.path.every(({ kind }) => kind !== 'untold'))
          told = view;
        return told !== undefined;
      });
      return told;
    },
  };
}

async function until(timeoutMs: number, holds: () => Promise<boolean>): Promise<void> {
  const giveUpMs = performance.now() + timeoutMs;
  while (!(await holds()) && performance.now() < giveUpMs) await delay(lookIntervalMs);
}

/** The hop's own time: its longest span. */
export const longestMs = ({ spans }: Told, hop: HopName): number =>
  spans.filter(({ lane }) => isIn(lane, hop)).reduce((longest, { durationMs }) => Math.max(longest, durationMs), 0);

/** The hop's part of the critical path. The way there and back belongs to its caller. */
export const pathMs = ({ path }: Told, hop: HopName): number =>
  path.filter(({ lane, kind }) => isIn(lane, hop) && !kind.startsWith('way')).reduce((sum, { durationMs }) => sum + durationMs, 0);

const isIn = (lane: string, hop: HopName): boolean => (hops[hop].lanes as readonly string[]).includes(lane);

/** A timer of Node may be early by so much. */
const timerMs = 1;

/** Hops whose delay did not happen in this request, or of which it tells nothing. @param slow the delay of each hop that has one */
export const idleIn = (told: Told | undefined, slow: ReadonlyMap<HopName, number>, looked: readonly HopName[]): HopName[] =>
  looked.filter((hop) => told === undefined || longestMs(told, hop) < (slow.get(hop) ?? 0) - timerMs);
