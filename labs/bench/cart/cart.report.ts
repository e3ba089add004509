/** What `npm run bench -- cart` measured, as tables and goals. */
import type { CartMeasured } from './bench-cart.ts';
import type { CartBlock } from './cart.load.ts';
import { floorName, shopName, singleName } from './cart.saturated.ts';
import { againMark, floorBlockOf, systemCpuUs } from '../measuring/load.ts';
import type { Machine } from '../measuring/machine.ts';
import type { Chart } from '../measuring/chart.ts';
import type { Report, Table, Verdict } from '../measuring/report.ts';
import { starvation } from '../measuring/starved.ts';
import { median, ratios, spread, type Spread } from '../measuring/statistics.ts';

/** Milliseconds from the acknowledgement to the view, at the highest rate. */
const visibleGoalMs = { p50: 10, p99: 50 } as const;
const throughputGoal = 0.6;
const replayGoal = 0.7;
/** "Flat": what an event costs at the end of the longest history, to what it costs at the end of the shortest. */
const flatGoal = 1.5;

const of = (blocks: readonly CartBlock[], field: (block: CartBlock) => number | undefined): number =>
  median(blocks.map((block) => field(block) ?? Number.NaN));
const ms = (us: number): string => `${(us / 1000).toFixed(2)} ms`;
const rate = (perSecond: number): string => `${Math.round(perSecond)}/s`;
const two = (value: number): string => value.toFixed(2);
const range = ({ median: middle, low, high }: Spread): string => `${two(middle)} (${two(low)} to ${two(high)})`;

export function cartReport(measured: CartMeasured, machine: Machine, command: string): Report {
  return {
    name: 'cart',
    title: 'What the cart costs',
    machine,
    command,
    method: method(measured),
    tables: [
      visibleTable(measured),
      saturatedTable(measured),
      cpuTable(measured),
      replayTable(measured),
      ...costTables(measured),
      lostTable(measured),
    ],
    verdicts: verdictsOf(measured),
    starved: starvedIn(measured),
    charts: chartsOf(measured),
    data: measured,
  };
}

/** These floors wait for the broker, which has the other core, between two batches: so they are idle more than a floor that asks nobody. */
const kafkaBusyMin = 0.8;
/** Bare consumption waits for the broker, which has the other core: how busy it was says nothing about the reader's own core. */
const notJudged = 0;

function starvedIn({ saturated, replayed }: CartMeasured): string[] {
  return [
    ...[floorName, singleName].flatMap((name) => starvation(name, (saturated[name] ?? []).map(floorBlockOf), { busy: kafkaBusyMin })),
    ...starvation(
      'bare consumption',
      replayed.pairs.map(({ bare }) => bare),
      { busy: notJudged },
    ),
  ];
}

function method({ visible, saturated, replayed }: CartMeasured): string[] {
  return [
    'The gateway, cart with its projector, auth, catalog and the session store share one core; Kafka, the Redis of the view and the generator have the other.',
    `Visible: an open loop, ${visible[0]?.blocks.length ?? 0} blocks a rate. "In the view" is from the 202 at the client to the moment at which the view tells its listeners that it has passed the command, of every command; "in a read" is to the answer of a GET that was sent at the 202 with its consistency token, of one command in ten.`,
    `Saturated: 32 connections in a closed loop, ${saturated[shopName]?.length ?? 0} interleaved pairs, a ratio is taken within a pair. The floor is node:http, bare grpc-js over the same mutual TLS, and kafkajs with one request in flight for all that waits; it writes the bytes of a real record, answers the bytes of a real answer, and reads nothing back. With "a request each" every command is a Kafka request of its own.`,
    `Replay: the view's Redis is emptied while the shop runs; the time counts from the first batch that is applied to the last. Bare consumption is kafkajs that reads the same ${replayed.events} records of ${replayed.carts} carts and drops them, on the same core.`,
    'Cost by size and history: carts written as events, since no command makes a cart of more than 100 lines; events, reads and commands one after the other.',
    'Rows and columns with "A/A" are the same thing measured once more: what differs between the two is noise. The last table needs none, since it counts exactly.',
    'Lost updates: clients add one unit of one product to one cart, all at once, until so many were acknowledged; the other cart is node:http before a GET and a SET of Redis.',
  ];
}

function visibleTable({ visible }: CartMeasured): Table {
  return {
    title: 'From the acknowledgement to the eye',
    head: [
      'commands',
      'acknowledged p50',
      'p99',
      'in the view p50',
      'p99',
      'max',
      'in a read p50',
      'p99',
      'stale reads',
      'unseen',
      'sent late p99',
    ],
    rows: visible.map(({ rate: perSecond, again, blocks }) => [
      rate(perSecond) + (again ? againMark : ''),
      ms(of(blocks, ({ acknowledged }) => acknowledged.p50)),
      ms(of(blocks, ({ acknowledged }) => acknowledged.p99)),
      ms(of(blocks, ({ inView }) => inView?.p50)),
      ms(of(blocks, ({ inView }) => inView?.p99)),
      ms(Math.max(...blocks.map(({ inView }) => inView?.max ?? Number.NaN))),
      ms(of(blocks, ({ inRead }) => inRead?.p50)),
      ms(of(blocks, ({ inRead }) => inRead?.p99)),
      String(blocks.reduce((sum, { stale }) => sum + stale, 0)),
      String(blocks.reduce((sum, { unseen }) => sum + unseen, 0)),
      ms(of(blocks, ({ lateP99 }) => lateP99)),
    ]),
  };
}

const perSecondOf = (blocks: readonly CartBlock[]): number[] => blocks.map(({ perSecond }) => perSecond);
const throughputOf = ({ saturated }: CartMeasured, floor: string): Spread =>
  spread(ratios(perSecondOf(saturated[shopName]!), perSecondOf(saturated[floor]!)));

function saturatedTable(measured: CartMeasured): Table {
  const { saturated } = measured;
  return {
    title: 'Saturated',
    head: ['', 'commands', 'Cloakroom is of it (range of pairs)', 'p50', 'p99', 'CPU a command', 'by CPU'],
    rows: Object.entries(saturated).map(([name, blocks]) => [
      name,
      rate(of(blocks, ({ perSecond }) => perSecond)),
      name === shopName ? '1' : range(throughputOf(measured, name)),
      ms(of(blocks, ({ acknowledged }) => acknowledged.p50)),
      ms(of(blocks, ({ acknowledged }) => acknowledged.p99)),
      `${Math.round(of(blocks, systemCpuUs))} us`,
      name === shopName ? '1' : two(median(ratios(blocks.map(systemCpuUs), saturated[shopName]!.map(systemCpuUs)))),
    ]),
  };
}

function cpuTable({ saturated, visible }: CartMeasured): Table {
  const rows: (readonly [string, readonly CartBlock[]])[] = [
    ...Object.entries(saturated),
    ...visible.map(({ rate: perSecond, again, blocks }) => [`${shopName} at ${rate(perSecond)}${again ? againMark : ''}`, blocks] as const),
  ];
  const names = ['front', 'back', 'auth', 'catalog', 'redis-sessions'];
  const other: Readonly<Record<string, string>> = { front: 'gateway-1', back: 'cart' };
  return {
    title: 'Processor time a command, by process',
    head: ['', 'gateway or front', 'cart or back', ...names.slice(2)],
    rows: rows.map(([name, blocks]) => [
      name,
      ...names.map((process) => {
        const spent = blocks.map(({ cpuUs }) => cpuUs[process] ?? cpuUs[other[process] ?? '']);
        return spent.includes(undefined) ? '' : `${Math.round(median(spent as number[]))} us`;
      }),
    ]),
  };
}

const replayOf = ({ replayed }: CartMeasured): Spread =>
  spread(
    ratios(
      replayed.pairs.map(({ perSecond }) => perSecond),
      replayed.pairs.map(({ barePerSecond }) => barePerSecond),
    ),
  );

function replayTable(measured: CartMeasured): Table {
  const { pairs, events, carts } = measured.replayed;
  return {
    title: 'Replay',
    head: [
      'events',
      'carts',
      'replayed',
      'read bare',
      'replayed / bare (range of pairs)',
      'bare / bare again (A/A)',
      'batches',
      'writes to the view',
      'events a write',
    ],
    rows: [
      [
        String(events),
        String(carts),
        rate(median(pairs.map(({ perSecond }) => perSecond))),
        rate(median(pairs.map(({ barePerSecond }) => barePerSecond))),
        range(replayOf(measured)),
        range(spread(pairs.map(({ barePerSecond, bareAgainPerSecond }) => barePerSecond / bareAgainPerSecond))),
        String(median(pairs.map(({ batches }) => batches))),
        String(median(pairs.map(({ writes }) => writes))),
        String(Math.round(events / median(pairs.map(({ writes }) => writes)))),
      ],
    ],
  };
}

function costTables({ sizes, histories }: CartMeasured): Table[] {
  const table = (title: string, costs: CartMeasured['sizes']): Table => ({
    title,
    head: ['', 'bytes in the view', 'event seen p50', 'p99', 'cart CPU an event', 'read p50', 'p99', 'command p50', 'p99'],
    rows: costs.map(({ what, count, again, bytes, visibleMs, eventCpuUs, readMs, commandMs }) => [
      `${count} ${what}${again ? againMark : ''}`,
      String(bytes),
      `${two(visibleMs.p50)} ms`,
      `${two(visibleMs.p99)} ms`,
      `${Math.round(eventCpuUs)} us`,
      `${two(readMs.p50)} ms`,
      `${two(readMs.p99)} ms`,
      ...(commandMs === undefined ? ['refused', ''] : [`${two(commandMs.p50)} ms`, `${two(commandMs.p99)} ms`]),
    ]),
  });
  return [table('Cost by the size of the cart', sizes), table('Cost by the length of its history', histories)];
}

function lostTable({ lost }: CartMeasured): Table {
  return {
    title: 'Additions at once to one cart',
    head: ['cart', 'clients', 'acknowledged', 'kept', 'lost'],
    rows: lost.map(({ cart, clients, acknowledged, kept }) => [
      cart,
      String(clients),
      String(acknowledged),
      String(kept),
      String(acknowledged - kept),
    ]),
  };
}

const isOld = ({ what, again }: CartMeasured['histories'][number]): boolean => what.startsWith('events, older') && again !== true;

function verdictsOf(measured: CartMeasured): Verdict[] {
  const { visible, replayed, histories, lost } = measured;
  const fastest = visible.findLast(({ again }) => !again)!;
  const throughput = throughputOf(measured, floorName);
  const replay = replayOf(measured);
  const settled = 24;
  const excess = Math.max(...replayed.pairs.map(({ writes, batches }) => writes - batches - settled));
  const old = histories.filter(isOld);
  const flat = old.at(-1)!.eventCpuUs / old[0]!.eventCpuUs;
  const lostOf = (name: string): number =>
    lost.filter(({ cart }) => cart === name).reduce((sum, { acknowledged, kept }) => sum + acknowledged - kept, 0);
  return [
    ...(['p50', 'p99'] as const).map((part) => {
      const seen = of(fastest.blocks, ({ inView }) => inView?.[part]) / 1000;
      const goal = visibleGoalMs[part];
      return { goal: `visible at ${fastest.rate}/s: ${part} at most ${goal} ms`, measured: `${two(seen)} ms`, met: seen <= goal };
    }),
    { goal: `${throughputGoal} of the floor's commands a second`, measured: range(throughput), met: throughput.median >= throughputGoal },
    { goal: `replay at ${replayGoal} of bare consumption`, measured: range(replay), met: replay.median >= replayGoal },
    { goal: 'one write to the view for a batch and all of its carts', measured: `${excess} more at most`, met: excess <= 0 },
    {
      goal: `flat from ${old[0]!.count} to ${old.at(-1)!.count} events of history: an event costs cart at most ${flatGoal} x`,
      measured: `${two(flat)} x`,
      met: flat <= flatGoal,
    },
    { goal: 'no addition is lost', measured: `${lostOf('Cloakroom')} lost`, met: lostOf('Cloakroom') === 0 },
  ];
}

function chartsOf({ visible, sizes, histories }: CartMeasured): Chart[] {
  return [
    {
      title: 'From the acknowledgement to the view',
      mark: 'line',
      values: visible
        .filter(({ again }) => !again)
        .flatMap(({ rate: perSecond, blocks }) =>
          (['p50', 'p99'] as const).map((part) => ({ rate: perSecond, ms: of(blocks, ({ inView }) => inView?.[part]) / 1000, part })),
        ),
      x: { field: 'rate', title: 'commands a second', type: 'quantitative' },
      y: { field: 'ms', title: 'milliseconds', type: 'quantitative' },
      colour: 'part',
    },
    {
      title: 'Processor time of cart an event',
      mark: 'line',
      values: [...sizes.filter(({ again }) => !again), ...histories.filter(isOld)].map(({ what, count, eventCpuUs }) => ({
        count,
        us: eventCpuUs,
        of: what === 'lines' ? 'lines in the cart' : 'events in its history',
      })),
      x: { field: 'count', title: 'lines, or events', type: 'quantitative', scale: 'log' },
      y: { field: 'us', title: 'microseconds', type: 'quantitative', scale: 'log' },
      colour: 'of',
    },
  ];
}
