/** Tables and goals of `npm run bench -- cart`. */
import type { CartMeasured } from './bench-cart.ts';
import type { CartBlock } from './cart.load.ts';
import { floorName, shopName, singleName } from './cart.saturated.ts';
import { type Column, cpu, middle, ms, msOfUs, percentiles, range, rate, table, two, us } from '../measuring/figures.ts';
import { type Bounds, graded } from '../measuring/goals.ts';
import { againMark, floorBlockOf, systemCpuUs } from '../measuring/load.ts';
import type { Machine } from '../measuring/machine.ts';
import type { Chart } from '../measuring/chart.ts';
import type { Report, Table, Verdict } from '../measuring/report.ts';
import { starvation } from '../measuring/starved.ts';
import { median, ratios, spread, type Spread } from '../measuring/statistics.ts';

/** Milliseconds from the acknowledgement to the view, at the highest rate. */
const visibleGoalMs = { p50: { goal: 3, least: 5 }, p99: { goal: 15, least: 50 } } as const;
/** Processor time of the whole shop, at the highest rate. */
const commandGoalUs: Bounds = { goal: 800, least: 1_200 };
const throughputGoal: Bounds = { goal: 0.5, least: 0.33 };
const replayGoal: Bounds = { goal: 0.5, least: 0.45 };
/** "Flat" is a ratio: the cost of an event at the end of the longest history, divided by the cost at the end of the shortest. */
const flatGoal: Bounds = { goal: 1.1, least: 1.3 };
/** An event of a cart whose long history is all of today. */
const youngGoalMs: Bounds = { goal: 2, least: 5 };

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

/**
 * Between two batches these floors wait for the broker, which has the other core. So they are idle more often
 * than a floor that waits for no other part.
 */
const kafkaBusyMin = 0.8;
/** Bare consumption waits for the broker, which has the other core. How busy it was says nothing about the reader's own core. */
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

type Visible = CartMeasured['visible'][number];
const blocksOf = ({ blocks }: { readonly blocks: readonly CartBlock[] }): readonly CartBlock[] => blocks;
const p50p99 = ['p50', 'p99'] as const;

const visibleTable = ({ visible }: CartMeasured): Table =>
  table<Visible>('From the acknowledgement to the eye', visible, [
    ['commands', ({ rate: perSecond, again }) => rate(perSecond) + (again ? againMark : '')],
    ...percentiles('acknowledged', p50p99, blocksOf, ({ acknowledged }) => acknowledged),
    ...percentiles('in the view', p50p99, blocksOf, ({ inView }) => inView),
    ['max', ({ blocks }) => msOfUs(Math.max(...blocks.map(({ inView }) => inView?.max ?? Number.NaN)))],
    ...percentiles('in a read', p50p99, blocksOf, ({ inRead }) => inRead),
    ['stale reads', ({ blocks }) => String(blocks.reduce((sum, { stale }) => sum + stale, 0))],
    ['unseen', ({ blocks }) => String(blocks.reduce((sum, { unseen }) => sum + unseen, 0))],
    ['sent late p99', ({ blocks }) => msOfUs(middle(blocks, ({ lateP99 }) => lateP99))],
  ]);

const perSecondOf = (blocks: readonly CartBlock[]): number[] => blocks.map(({ perSecond }) => perSecond);
const throughputOf = ({ saturated }: CartMeasured, floor: string): Spread =>
  spread(ratios(perSecondOf(saturated[shopName]!), perSecondOf(saturated[floor]!)));

interface Named {
  readonly name: string;
  readonly blocks: readonly CartBlock[];
}
const saturatedRows = ({ saturated }: CartMeasured): Named[] => Object.entries(saturated).map(([name, blocks]) => ({ name, blocks }));

function saturatedTable(measured: CartMeasured): Table {
  const shopCpu = measured.saturated[shopName]!.map(systemCpuUs);
  return table('Saturated', saturatedRows(measured), [
    ['', ({ name }) => name],
    ['commands', ({ blocks }) => rate(middle(blocks, ({ perSecond }) => perSecond))],
    ['Cloakroom is of it (range of pairs)', ({ name }) => (name === shopName ? '1' : range(throughputOf(measured, name)))],
    ...percentiles<Named, CartBlock, 'p50' | 'p99'>('', p50p99, blocksOf, ({ acknowledged }) => acknowledged),
    ['CPU a command', ({ blocks }) => us(middle(blocks, systemCpuUs))],
    ['by CPU', ({ name, blocks }) => (name === shopName ? '1' : two(median(ratios(blocks.map(systemCpuUs), shopCpu))))],
  ]);
}

function cpuTable(measured: CartMeasured): Table {
  const visible = measured.visible.map(({ rate: perSecond, again, blocks }) => ({
    name: `${shopName} at ${rate(perSecond)}${again ? againMark : ''}`,
    blocks,
  }));
  return table(
    'Processor time a command, by process',
    [...saturatedRows(measured), ...visible],
    [
      ['', ({ name }) => name],
      cpu('gateway or front', blocksOf, ['front', 'gateway-1']),
      cpu('cart or back', blocksOf, ['back', 'cart']),
      ...['auth', 'catalog', 'redis-sessions'].map((name) => cpu(name, blocksOf)),
    ],
  );
}

const replayOf = ({ replayed }: CartMeasured): Spread =>
  spread(
    ratios(
      replayed.pairs.map(({ perSecond }) => perSecond),
      replayed.pairs.map(({ barePerSecond }) => barePerSecond),
    ),
  );

function replayTable(measured: CartMeasured): Table {
  const perSecond = ({ pairs }: CartMeasured['replayed'], of: 'perSecond' | 'barePerSecond'): string =>
    rate(middle(pairs, (pair) => pair[of]));
  return table(
    'Replay',
    [measured.replayed],
    [
      ['events', ({ events }) => String(events)],
      ['carts', ({ carts }) => String(carts)],
      ['replayed', (replayed) => perSecond(replayed, 'perSecond')],
      ['read bare', (replayed) => perSecond(replayed, 'barePerSecond')],
      ['replayed / bare (range of pairs)', () => range(replayOf(measured))],
      [
        'bare / bare again (A/A)',
        ({ pairs }) => range(spread(pairs.map(({ barePerSecond, bareAgainPerSecond }) => barePerSecond / bareAgainPerSecond))),
      ],
      ['batches', ({ pairs }) => String(middle(pairs, ({ batches }) => batches))],
      ['writes to the view', ({ pairs }) => String(middle(pairs, ({ writes }) => writes))],
      ['events a write', ({ pairs, events }) => String(Math.round(events / middle(pairs, ({ writes }) => writes)))],
    ],
  );
}

function costTables({ sizes, histories }: CartMeasured): Table[] {
  const columns: readonly Column<CartMeasured['sizes'][number]>[] = [
    ['', ({ what, count, again }) => `${count} ${what}${again ? againMark : ''}`],
    ['bytes in the view', ({ bytes }) => String(bytes)],
    ['event seen p50', ({ visibleMs }) => ms(visibleMs.p50)],
    ['p99', ({ visibleMs }) => ms(visibleMs.p99)],
    ['cart CPU an event', ({ eventCpuUs }) => us(eventCpuUs)],
    ['read p50', ({ readMs }) => ms(readMs.p50)],
    ['p99', ({ readMs }) => ms(readMs.p99)],
    ['command p50', ({ commandMs }) => (commandMs === undefined ? 'refused' : ms(commandMs.p50))],
    ['p99', ({ commandMs }) => (commandMs === undefined ? '' : ms(commandMs.p99))],
  ];
  return [table('Cost by the size of the cart', sizes, columns), table('Cost by the length of its history', histories, columns)];
}

const lostTable = ({ lost }: CartMeasured): Table =>
  table('Additions at once to one cart', lost, [
    ['cart', ({ cart }) => cart],
    ['clients', ({ clients }) => String(clients)],
    ['acknowledged', ({ acknowledged }) => String(acknowledged)],
    ['kept', ({ kept }) => String(kept)],
    ['lost', ({ acknowledged, kept }) => String(acknowledged - kept)],
  ]);

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
  const commandUs = spread(fastest.blocks.map(systemCpuUs));
  const young = histories.find(({ what, again }) => what.startsWith('events, all of today') && again !== true);
  return [
    ...(['p50', 'p99'] as const).flatMap((part) => {
      const seen = spread(fastest.blocks.map(({ inView }) => (inView?.[part] ?? Number.NaN) / 1000));
      const say = (bound: number): string => `visible at ${fastest.rate}/s: ${part} at most ${bound} ms`;
      return graded(say, visibleGoalMs[part], seen.median, `${range(seen)} ms`);
    }),
    ...graded(
      (bound) => `a command at ${fastest.rate}/s costs at most ${bound} us of CPU`,
      commandGoalUs,
      commandUs.median,
      `${us(commandUs.median)} (${us(commandUs.low)} to ${us(commandUs.high)})`,
    ),
    ...graded((bound) => `${bound} of the floor's commands a second`, throughputGoal, throughput.median, range(throughput)),
    ...graded((bound) => `replay at ${bound} of bare consumption`, replayGoal, replay.median, range(replay)),
    { goal: 'one write to the view for a batch and all of its carts', measured: `${excess} more at most`, met: excess <= 0 },
    ...graded(
      (bound) => `flat from ${old[0]!.count} to ${old.at(-1)!.count} events of history: an event costs cart at most ${bound} x`,
      flatGoal,
      flat,
      `${two(flat)} x`,
    ),
    ...(young === undefined
      ? []
      : graded(
          (bound) => `an event of a cart with ${young.count} events of today costs cart at most ${bound} ms`,
          youngGoalMs,
          young.eventCpuUs / 1000,
          msOfUs(young.eventCpuUs),
        )),
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
          (['p50', 'p99'] as const).map((part) => ({ rate: perSecond, ms: middle(blocks, ({ inView }) => inView?.[part]) / 1000, part })),
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
