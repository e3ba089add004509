/** The table, goals and chart of `npm run bench -- peers`. */
import { middle, msOfUs, range, rangeBars, rate, table, two, us } from '../measuring/figures.ts';
import { type Bounds, graded } from '../measuring/goals.ts';
import { floorBlockOf, systemCpuUs, type Block } from '../measuring/load.ts';
import type { Machine } from '../measuring/machine.ts';
import { floorName, ours, type Front, type PeersMeasured } from './peers.ts';
import type { Report, Verdict } from '../measuring/report.ts';
import { starvation } from '../measuring/starved.ts';
import { ratios, spread, type Spread } from '../measuring/statistics.ts';

/** Throughput of hybrid as a multiple of the fastest peer's that asks a store at each request. The floor itself was 1.36 (2026-11-27). */
const aheadGoal: Bounds = { goal: 1.15, least: 1.05 };

export function peersReport(measured: PeersMeasured, machine: Machine, command: string): Report {
  const { fronts, saturated, halfLoad } = measured;
  const against = (name: string, field: (block: Block) => number): Spread =>
    spread(ratios(saturated[ours.hybrid]!.map(field), saturated[name]!.map(field)));
  const rows = fronts.map((front) => {
    const blocks = saturated[front.name]!;
    return {
      ...front,
      perSecond: spread(blocks.map(({ perSecond }) => perSecond)),
      cpuUs: middle(blocks, systemCpuUs),
      ahead: against(front.name, ({ perSecond }) => perSecond),
      aheadByCpu: against(front.name, (block) => 1 / systemCpuUs(block)),
      p50: middle(halfLoad[front.name]!, ({ latency }) => latency.p50),
      p99: middle(halfLoad[front.name]!, ({ latency }) => latency.p99),
    };
  });
  return {
    name: 'peers',
    title: 'The gateway and its peers',
    machine,
    command,
    method: [
      'The same request (`GET /api/cart` with a session), the same backend over gRPC and mutual TLS, the same Redis on the same core; each peer as its own documentation recommends for production.',
      `${Object.values(saturated)[0]?.length ?? 0} interleaved pairs in a rotating order, 32 connections; half load is an open loop at half of what the front itself reached, latency counted from when a request was due.`,
      'The row "again (A/A)" is hybrid measured once more in each pair: what its ratio differs from 1 is noise. The backend verifies each new passport as the real cart does; the peers and the floor hand on none.',
      'The peers check a session and nothing else: they have no deadline, no trace, no rate limit, no passport for the service behind, and a revocation reaches those with a cookie cache when it runs out (5 min).',
    ],
    tables: [
      table(undefined, rows, [
        ['', ({ name }) => name],
        ['asks its store', ({ asksStore }) => (asksStore === undefined ? '' : asksStore ? 'each request' : 'no')],
        ['throughput', ({ perSecond }) => rate(perSecond.median)],
        ['hybrid is ahead by', ({ name, ahead }) => (name === ours.hybrid ? '1' : range(ahead))],
        ['by CPU', ({ name, aheadByCpu }) => (name === ours.hybrid ? '1' : two(aheadByCpu.median))],
        ['CPU a request', ({ cpuUs }) => us(cpuUs)],
        ['half load p50', ({ p50 }) => msOfUs(p50)],
        ['p99', ({ p99 }) => msOfUs(p99)],
      ]),
    ],
    starved: starvation(floorName, (saturated[floorName] ?? []).map(floorBlockOf)),
    verdicts: verdictsOf(rows.filter(({ isPeer }) => isPeer)),
    charts: [
      rangeBars(
        'Requests a second on one core (median and range of pairs)',
        'requests a second',
        rows.map(({ name, perSecond }) => ({ name, spread: perSecond })),
      ),
    ],
    data: measured,
  };
}

function verdictsOf(peers: readonly (Front & { readonly ahead: Spread })[]): Verdict[] {
  const [fastest] = peers.filter(({ asksStore }) => asksStore).toSorted((a, b) => a.ahead.median - b.ahead.median);
  const others = peers.filter(({ asksStore }) => asksStore !== true);
  return [
    ...(fastest === undefined
      ? []
      : graded(
          (bound) => `hybrid against the fastest that asks a store at each request (${fastest.name}): ${bound} x or more`,
          aheadGoal,
          fastest.ahead.median,
          range(fastest.ahead),
        )),
    ...others.map(({ name, ahead }) => ({ goal: `hybrid against ${name}: 1 x or more`, measured: range(ahead), met: ahead.median >= 1 })),
  ];
}
