/**
 * `npm run bench -- fault-points`: what the fault points of a request cost while no switch is on. The real points are called with work behind them
 * that does nothing, and the same work is called without them. In a whole request this is too little to be seen (`bench -- observatory`).
 *
 * One process, no sockets. A pair is three blocks in an order that moves on: with the point, without it, and without it once more (A/A).
 */
import { loadavg } from 'node:os';
import { topics } from '@cloakroom/contracts';
import { faultsArmed } from '@cloakroom/platform';
import type { SessionStore } from '@cloakroom/session';
import { align } from '../../../infra/cli/status.ts';
import { withStoreFaults } from '../../../apps/auth/src/sessions/store-faults.ts';
import type { CartView } from '../../../apps/cart/src/projection/cart.view.ts';
import { viewForRead } from '../../../apps/cart/src/reads/stale-view.ts';
import { publishInTrouble } from '../../../libs/event-log/src/event-log.faults.ts';
import type { ServerCall } from '../../../libs/mesh/src/server/server-call.ts';
import { respondInTrouble } from '../../../libs/mesh/src/server/server-faults.ts';
import { queueAfterFaults } from '../../../libs/platform/src/database/database.faults.ts';
import { median, rotated } from '../measuring/statistics.ts';

/** A block of a tenth of a second or less. */
const countDefault = 200_000;

const done = Promise.resolve();
const nothing = (): Promise<never> => done as Promise<never>;
const bareStore = { resolve: nothing } as unknown as SessionStore;
const stored = withStoreFaults({
  create: nothing,
  resolve: nothing,
  rotate: nothing,
  refresh: nothing,
  revoke: nothing,
  list: nothing,
} as unknown as SessionStore);
const key = { tag: '0000', hash: 'h' };
const call = {} as ServerCall;
const view = {} as CartView;
const nowMs = (): number => 0;

interface Point {
  readonly name: string;
  /** How often a request of a person in mode `hybrid` passes it: once known to the gateway, and not known yet. */
  readonly times: { readonly warm: number; readonly cold: number };
  readonly through: () => unknown;
  readonly bare: () => unknown;
}

const points: readonly Point[] = [
  {
    name: 'rpc',
    times: { warm: 1, cold: 2 },
    through: () => (faultsArmed() ? respondInTrouble(call, 'CartService/GetCart', nothing) : nothing()),
    bare: nothing,
  },
  { name: 'cart view', times: { warm: 1, cold: 1 }, through: () => viewForRead(view, 'c', undefined, nowMs), bare: () => view },
  {
    name: 'session store',
    times: { warm: 0, cold: 1 },
    through: () => stored.resolve(key, 0, undefined),
    bare: () => bareStore.resolve(key, 0, undefined),
  },
  { name: 'database', times: { warm: 0, cold: 1 }, through: () => queueAfterFaults('auth', nothing), bare: nothing },
  {
    name: 'publish',
    times: { warm: 0, cold: 0 },
    through: () => (faultsArmed() ? publishInTrouble(topics.cartEvents, [], nothing) : nothing()),
    bare: nothing,
  },
];

const sides = ['through', 'bare', 'again'] as const;
type Side = (typeof sides)[number];

export interface PointCost {
  readonly name: string;
  /** Nanoseconds of CPU that the point adds to one pass, by pair. */
  readonly moreNs: readonly number[];
  /** The same for nothing against nothing. */
  readonly sameNs: readonly number[];
}

function spend(work: () => unknown, count: number): number {
  const before = process.cpuUsage();
  for (let i = 0; i < count; i += 1) work();
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1_000) / count;
}

export function measurePoints(pairs: number, count = countDefault): PointCost[] {
  return points.map(({ name, through, bare }) => {
    const work = { through, bare, again: bare };
    const blocks: Record<Side, number[]> = { through: [], bare: [], again: [] };
    // The first round is compiled while it runs, and not counted.
    for (const side of sides) spend(work[side], count);
    for (let pair = 0; pair < pairs; pair += 1) for (const side of rotated(sides, pair)) blocks[side].push(spend(work[side], count));
    const against = (side: Side): number[] => blocks[side].map((ns, pair) => ns - blocks.bare[pair]!);
    return { name, moreNs: against('through'), sameNs: against('again') };
  });
}

const shown = (ns: readonly number[]): string =>
  `${median(ns).toFixed(1)} ns (${Math.min(...ns).toFixed(1)} to ${Math.max(...ns).toFixed(1)})`;

export function benchFaultPoints(pairs: number, print: (line: string) => void, count = countDefault): void {
  const load = loadavg()[0]!.toFixed(1);
  const costs = measurePoints(pairs, count);
  print(
    `CPU that a fault point adds to one pass, none switched on: median of ${pairs} pairs of ${count} (range). Load at the start ${load}.`,
  );
  for (const line of align([['', 'added', 'A/A'], ...costs.map(({ name, moreNs, sameNs }) => [name, shown(moreNs), shown(sameNs)])]))
    print(line);
  for (const kind of ['warm', 'cold'] as const) {
    const most = costs.reduce((sum, { moreNs }, at) => sum + points[at]!.times[kind] * Math.max(...moreNs), 0);
    print(
      `a ${kind} hybrid request passes ${points.reduce((sum, { times }) => sum + times[kind], 0)}: ${(most / 1_000).toFixed(3)} us at most`,
    );
  }
}
