import type { Lab } from '../runner/lab.ts';
import { middleOf } from '../runner/present.ts';
import { play, ways, type Way } from './shores.ts';

const lost = 'units lost';
const tooMany = 'units too many';
const differ = 'lines that differ';
const refused = 'refused in the cut';

const says: Readonly<Record<Way, string>> = {
  'one home': 'one region takes all commands; the other one hands them on across the ocean',
  'last writer wins': 'each region has a copy of every row, and of two writes the later one stands',
  dots: 'the cart of this shop: each region takes commands into its own log, and each shows the join of both logs',
};

const quickPart = 5;
const secondMs = 1_000;

export const lab: Lab = {
  name: 'two-regions',
  claim: 'a global session store is one database',
  question:
    'Two regions have the carts of the same people, and the ocean between them is cut for half a minute. What may each side do, and what is lost?',
  needs: 'node',
  rounds: { quick: 1, full: 3 },
  prediction: {
    kind: 'choice',
    asks: 'Both regions keep a copy of every row, and the later write stands. The clocks are perfect. For 30 s both sides add five pieces a second to the same carts, without hearing of each other. After the heal, how many of the pieces that were added in the cut are gone?',
    choices: { a: 'none: each add was acknowledged', b: 'a few, where two writes met', c: 'about half' },
    right: 'c',
  },
  dials: {
    cut: { value: 30, min: 0, max: 120, unit: 's', says: 'how long no record crosses the ocean' },
    every: { value: 200, min: 100, max: 2_000, unit: 'ms', says: 'between two commands of one side' },
    rtt: { value: 80, min: 0, max: 1_000, unit: 'ms', says: 'between two crossings of the ocean while it is open' },
    calm: { value: 5, min: 0, max: 30, unit: 's', says: 'connected, before the cut and after it' },
  },
  arms: ways.map((name) => ({ name, says: says[name] })),
  control: 'dots',
  quantities: {
    [refused]: { unit: '%', says: 'commands that were refused, of those in the cut' },
    [lost]: { unit: '', says: 'units that were acknowledged, and that neither side shows once everything has crossed' },
    [tooMany]: { unit: '', says: 'units that show, and were never acknowledged' },
    [differ]: { unit: '', says: 'lines that the two sides show differently then' },
  },
  statements: [
    {
      says: 'copies where the later write stands lose no more than one home does',
      quantity: lost,
      of: 'one home',
      against: 'last writer wins',
      as: 'difference',
      above: -0.5,
      margin: 0.5,
      found: 'does not hold',
      inQuick: 'held',
    },
    {
      says: 'one home refuses a part of the commands of a cut, and dots refuse none',
      quantity: refused,
      of: 'one home',
      against: 'dots',
      as: 'difference',
      above: 25,
      margin: 0.5,
      found: 'holds',
      inQuick: 'held',
    },
    {
      says: 'dots lose nothing that copies lose',
      quantity: lost,
      of: 'last writer wins',
      against: 'dots',
      as: 'difference',
      above: 0.5,
      margin: 0.5,
      found: 'holds',
      inQuick: 'held',
    },
  ],
  figure: (result) => ({
    title: 'What a cut of the ocean costs',
    mark: 'bar',
    x: { field: 'count', title: 'units lost, and % of the commands in the cut refused', type: 'quantitative' },
    y: { field: 'way', title: '', type: 'nominal' },
    series: 'what',
    points: ways.flatMap((way) => [lost, refused].map((what) => ({ way, what, count: middleOf(result, way, what) }))),
  }),
  exercise: {
    task: 'The ocean is never cut. It takes 80 ms, and both sides add five pieces a second to six lines, for 10 s.',
    set: { cut: 0 },
    asks: 'How many units do copies lose where the later write stands?',
    unit: 'units',
    answer: (result) => middleOf(result, 'last writer wins', lost),
    withinPart: 0.5,
    withinAtLeast: 6,
    why: 'Not none. Two adds to one line that cross each other in the ocean are two writes that did not know of each other, and one of them stands. A cut only makes the crossing longer.',
  },
  open: ({ quick, dials }) =>
    Promise.resolve({
      async measure(arm, round) {
        const part = quick ? quickPart : 1;
        const told = await play(arm as Way, {
          seed: round + 1,
          everyMs: dials['every']!,
          rttMs: dials['rtt']!,
          calmMs: (dials['calm']! * secondMs) / part,
          cutMs: (dials['cut']! * secondMs) / part,
        });
        const share = told.inCut === 0 ? 0 : (100 * told.refused) / told.inCut;
        return { [refused]: share, [lost]: told.lost, [tooMany]: told.tooMany, [differ]: told.differ };
      },
      close: () => Promise.resolve(),
    }),
};
