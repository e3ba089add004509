/** The table, goals and chart of `npm run bench -- peers`. */
import { middle, msOfUs, range, rangeBars, rate, table, two, us } from '../measuring/figures.ts';
import { floorBlockOf, systemCpuUs, type Block } from '../measuring/load.ts';
import type { Machine } from '../measuring/machine.ts';
import { floorName, ours, type Front, type PeersMeasured } from './peers.ts';
import type { Report, Verdict } from '../measuring/report.ts';
import { starvation } from '../measuring/starved.ts';
import { ratios, spread, type Spread } from '../measuring/statistics.ts';

/** The lead over the peers that ask a store at each request. */
const aheadGoal = 1.5;

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
    verdicts: rows.filter(({ isPeer }) => isPeer).map((row) => verdictOf(row, row.ahead)),
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

function verdictOf({ name, asksStore }: Front, ahead: Spread): Verdict {
  const goal = asksStore === true ? aheadGoal : 1;
  return { goal: `hybrid against ${name}: ${goal} x or more`, measured: range(ahead), met: ahead.median >= goal };
}
