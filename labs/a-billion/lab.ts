import { align } from '../../infra/cli/status.ts';
import type { Lab, Opened, Result, Statement } from '../runner/lab.ts';
import { middleOf } from '../runner/present.ts';
import { readFigures } from './figures.ts';
import { servePage } from './serve.ts';
import { knobs, modes, simulate, spell, usualWish, type KnobName, type Wish } from './simulator.ts';
import { type Kind, kinds, missOf, openStage, type Size } from './stage.ts';

const hit = 'within a quarter';
const asks = 'asked of 100';
const offBy = (kind: Kind): string => `${kind} off by`;
/** A prediction is good where it is this near to the measurement, as a part of it. */
export const goodPart = 0.25;
/** The size that the exercise asks about. */
const exerciseSize = 10_000;
/** A quick run goes up to 10 to the power of this. */
const quickPower = 4;
/** The control measures again up to this. A million sessions are made once in a run: that takes most of it. */
const againPower = 5;

const says: Readonly<Record<Kind, string>> = {
  memory: 'memory of Redis',
  questions: 'questions to auth a second',
  feed: 'bytes a second of the revocation feed, all readers together',
};

const farOff = (kind: Kind, above: number): Statement => ({
  says: `the envelope misses ${says[kind]} by at least ${above} percentage points more than the simulator`,
  quantity: offBy(kind),
  of: 'envelope',
  against: 'simulator',
  as: 'difference',
  above,
  margin: 10,
  found: 'holds',
  inQuick: 'held',
});

const ownDials = {
  largest: { value: 6, min: 3, max: 6, unit: '', says: 'the largest size that is measured: 10 to the power of this' },
  spread: { ...knobs.spread, value: 4, min: 1, max: 64, says: 'gateways that one person’s requests meet, where it is measured' },
  mode: {
    value: 1,
    min: 0,
    max: 3,
    unit: '',
    says: `of the shop that is simulated: ${modes.map((mode, at) => `${at} ${mode}`).join(', ')}`,
  },
} as const;
/** These may be changed for the shop that is simulated. The measured one has its own. */
const simulated = Object.entries(knobs).filter(([name]) => name !== 'spread');

export const lab: Lab = {
  name: 'a-billion',
  claim: 'it would not scale',
  question: 'What would this shop need for a billion people, and may one believe what is computed from a few small benchmarks?',
  needs: 'native',
  rounds: { quick: 1, full: 1 },
  prediction: {
    kind: 'choice',
    asks: 'A billion people. Each gateway remembers who somebody is for nearly a minute, and the balancer sends each request to any gateway. How many requests still ask auth?',
    choices: { a: 'hardly any: that is what the cache is for', b: 'about half', c: 'nearly all' },
    right: 'c',
  },
  dials: { ...ownDials, ...Object.fromEntries(simulated) },
  arms: [
    { name: 'simulator', says: 'predicts from the published benchmarks of this project' },
    { name: 'envelope', says: 'predicts as on a whiteboard: 200 bytes a session, a look-up a request, one message of 100 bytes an end' },
  ],
  control: 'simulator',
  quantities: {
    [hit]: { unit: '%', says: 'predictions that are within a quarter of what was measured' },
    ...Object.fromEntries(kinds.map((kind) => [offBy(kind), { unit: '%', says: `${says[kind]}: the worst of all sizes` }])),
    [asks]: { unit: '', says: 'requests of 100 that asked auth, with 10,000 people: measured' },
  },
  statements: [
    {
      says: 'the simulator hits no more of the measured figures than the back of an envelope',
      quantity: hit,
      of: 'envelope',
      against: 'simulator',
      as: 'difference',
      above: -50,
      margin: 20,
      found: 'does not hold',
      inQuick: 'held',
    },
    farOff('memory', 25),
    farOff('questions', 25),
    farOff('feed', 50),
  ],
  figure: (result) => ({
    title: 'How far a prediction is from the measurement, at worst of all sizes',
    mark: 'bar',
    x: { field: 'off', title: 'off by (%)', type: 'quantitative' },
    y: { field: 'what', title: '', type: 'nominal' },
    series: 'by',
    points: kinds.flatMap((what) => ['simulator', 'envelope'].map((by) => ({ what, by, off: middleOf(result, by, offBy(what)) }))),
  }),
  exercise: {
    task: 'The balancer knows nobody, and a person’s requests meet 16 gateways in place of 4. There are 10,000 people, and each asks every 20 s.',
    set: { spread: 16, largest: quickPower },
    asks: 'How many of 100 requests ask auth now?',
    unit: '',
    answer: (result: Result) => middleOf(result, 'simulator', asks),
    withinPart: 0.1,
    withinAtLeast: 3,
    why: 'Each gateway has a cache of its own. It sees a person every 20 s x 16, and keeps an answer for 53 s in the mean, so most come when it has forgotten them. More gateways make a cache worse, unless the balancer sends a person to the same few.',
  },
  open: async ({ quick, dials, base, say }) => {
    const figures = readFigures();
    const [largest, spread, lease] = [dials['largest']!, dials['spread']!, dials['lease']!];
    const power = quick ? Math.min(largest, quickPower) : largest;
    const stage = await openStage(base, spread, lease, figures);
    let sizes: Size[] = [];
    const measureUpTo = async (most: number): Promise<void> => {
      const fresh: Size[] = [];
      for (let at = 3; at <= most; at++) {
        say(`${spell(10 ** at)} sessions`);
        fresh.push(await stage.measure(10 ** at, quick ? 20 : 30));
      }
      sizes = [...fresh, ...sizes.slice(fresh.length)];
    };
    return {
      async measure(arm) {
        if (arm === 'simulator' || sizes.length === 0) await measureUpTo(sizes.length === 0 ? power : Math.min(power, againPower));
        return missesOf(sizes, arm === 'simulator' ? 'simulated' : 'guessed');
      },
      story: (arm) => (arm === 'simulator' ? storyOf(sizes, dials) : undefined),
      close: () => stage.close(),
    };
  },
  stay: (_arm, base): Promise<Opened> => servePage(base),
};

function missesOf(sizes: readonly Size[], by: 'simulated' | 'guessed'): Record<string, number> {
  const misses = (kind: Kind): number[] => sizes.map(({ measured, [by]: predicted }) => missOf(predicted[kind], measured[kind]));
  const all = kinds.flatMap(misses);
  const of = sizes.find(({ people }) => people === exerciseSize) ?? sizes[0]!;
  return {
    [hit]: (100 * all.filter((miss) => miss <= goodPart).length) / all.length,
    ...Object.fromEntries(kinds.map((kind) => [offBy(kind), 100 * Math.max(...misses(kind))])),
    [asks]: 100 * of.askedPart,
  };
}

/** The sizes one by one, and the shop that the dials describe. */
function storyOf(sizes: readonly Size[], dials: Readonly<Record<string, number>>): string {
  const head = ['sessions', ...kinds.flatMap((kind) => [`${kind}, measured`, 'simulator', 'envelope'])];
  const units: Readonly<Record<Kind, string>> = { memory: 'B', questions: '/s', feed: 'B/s' };
  const rows = sizes.map(({ people, measured, simulated: one, guessed }) => [
    spell(people),
    ...kinds.flatMap((kind) => [measured, one, guessed].map((numbers) => spell(numbers[kind], units[kind]))),
  ]);
  return [...align([head, ...rows]), '', ...terminal(dials)].join('\n');
}

/** The simulator's answer as text, with its formulas. */
export function terminal(dials: Readonly<Record<string, number>>): string[] {
  const wish = { ...usualWish, ...pick(dials) };
  const mode = modes[dials['mode'] ?? 1]!;
  const { lines, limits } = simulate(mode, wish, readFigures());
  const rows = lines.map(({ says: text, value, unit, formula }) => [text, spell(value, unit), formula]);
  return [`${spell(wish.people)} people, mode ${mode}:`, ...align(rows), ...limits.map((limit) => `! ${limit}`)];
}

const pick = (dials: Readonly<Record<string, number>>): Partial<Wish> =>
  Object.fromEntries(simulated.flatMap(([name]) => (dials[name] === undefined ? [] : [[name as KnobName, dials[name]]])));
