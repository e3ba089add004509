import type { Lab } from '../runner/lab.ts';
import { middleOf } from '../runner/present.ts';
import { type ArmName, armNames, openHops } from './hops.ts';

const good = 'good answers';
const vain = 'work in vain';
const vainPart = 'part in vain';

const workerCount = 5;
/** Seconds that are measured in each arm, once the queue is as long as it gets. */
const measuredSeconds = { quick: 2.5, full: 5 };

const says: Readonly<Record<ArmName, string>> = {
  carried: 'the first service hands on what is left of the person’s time, and a cancellation, as this shop does',
  'a second each': 'each call has a time-out of one second, and hears nothing of the person',
  fitted: 'fixed time-outs again, which add up to the person’s second: 200 ms and 800 ms',
};

export const lab: Lab = {
  name: 'latency-budget',
  claim: 'a time-out per hop is enough',
  question:
    'A dependency has become slow, and more people come than it can serve. Each hop has a time-out, so nothing hangs. Does anybody still get an answer?',
  needs: 'node',
  rounds: { quick: 1, full: 5 },
  prediction: {
    kind: 'choice',
    asks: 'The slow service can do 50 requests a second, and 100 come. A person waits one second. Each hop has a time-out of one second. How many people get an answer in time, each second?',
    choices: { a: 'about 50: as many as it can do', b: 'about 25', c: 'about ten: most of the work comes too late' },
    right: 'c',
  },
  dials: {
    rate: { value: 100, min: 10, max: 200, unit: '1/s', says: 'people who come' },
    job: { value: 100, min: 20, max: 400, unit: 'ms', says: `the work of the slow service for each; it does ${workerCount} at once` },
  },
  arms: armNames.map((name) => ({ name, says: says[name] })),
  control: 'carried',
  quantities: {
    [good]: { unit: '1/s', says: 'people who had their answer before they left' },
    [vain]: { unit: '1/s', says: 'pieces of work that were done after their person had left' },
    [vainPart]: { unit: '%', says: 'the same, of all the work that was done' },
  },
  statements: [
    {
      says: 'a time-out of a second at each hop gives as many good answers as a deadline that is carried along',
      quantity: good,
      of: 'a second each',
      against: 'carried',
      as: 'difference',
      above: -10,
      margin: 10,
      found: 'does not hold',
      inQuick: 'held',
    },
    {
      says: 'time-outs that add up to the person’s patience give as many',
      quantity: good,
      of: 'fitted',
      against: 'carried',
      as: 'difference',
      above: -10,
      margin: 10,
      found: 'does not hold',
      inQuick: 'shown',
    },
    {
      says: 'with a second at each hop, at least half more of the work is for people who have left',
      quantity: vainPart,
      of: 'a second each',
      against: 'carried',
      as: 'difference',
      above: 50,
      margin: 20,
      found: 'holds',
      inQuick: 'held',
    },
    {
      says: 'with time-outs that add up, at least a fifth more of the work is for people who have left',
      quantity: vainPart,
      of: 'fitted',
      against: 'carried',
      as: 'difference',
      above: 20,
      margin: 20,
      found: 'holds',
      inQuick: 'shown',
    },
  ],
  figure: (result) => ({
    title: 'A slow service that can do 50 a second, and 100 people a second',
    mark: 'bar',
    x: { field: 'count', title: 'a second', type: 'quantitative' },
    y: { field: 'arm', title: '', type: 'nominal' },
    series: 'what',
    points: armNames.flatMap((arm) => [
      { arm, what: 'answers in time', count: middleOf(result, arm, good) },
      { arm, what: 'work in vain', count: middleOf(result, arm, vain) },
    ]),
  }),
  exercise: {
    task: 'Fewer people come: 30 a second in place of 100. The service can still do 50. A third of the people still closes the page after 400 ms.',
    set: { rate: 30 },
    asks: 'How many people a second get their answer in time now, with a time-out of one second at each hop?',
    unit: '1/s',
    answer: (result) => middleOf(result, 'a second each', good),
    withinPart: 0.2,
    withinAtLeast: 3,
    why: 'About 25: all but those whose first step was slow and who left early, which is a sixth. Nothing waits, so no time-out fires, and it does not matter that they are wrong. That is how they pass every test: they fail on the day on which something else is slow.',
  },
  async open({ quick, dials }) {
    const hops = await openHops({ workerCount, jobMs: dials['job']! });
    const seconds = quick ? measuredSeconds.quick : measuredSeconds.full;
    return {
      async measure(arm, round) {
        const load = { rate: dials['rate']!, seconds, seed: round + 1 };
        const { goodPerSecond, vainPerSecond, vainPercent } = await hops.play(arm as ArmName, load);
        return { [good]: goodPerSecond, [vain]: vainPerSecond, [vainPart]: vainPercent };
      },
      close: () => hops.stop(),
    };
  },
};
