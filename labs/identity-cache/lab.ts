import type { FigureData, Lab, Measured, Result } from '../runner/lab.ts';
import { middleOf } from '../runner/present.ts';
import { type Crowd, expectedOf } from './formula.ts';
import type { Belief } from './memory.ts';
import { openStage, type Seen } from './stage.ts';

const beliefs = [0, 0.5, 2, 10, 'feed'] as const satisfies readonly Belief[];
const crowds = ['few', 'many'] as const;
type CrowdName = (typeof crowds)[number];

const hits = 'answered from memory';
const hitsExpected = 'by the formula';
const questions = 'questions at auth';
const questionsExpected = 'of them by the formula';
const stale = 'accepted after its end';
const worst = 'at worst';

/** The life that the shop gives an answer: that of a passport, less the margin of the cache (identity-cache.ts). */
const feedLifeS = 58.5;
const fewPeople = 20;
const requestsPerS = 50;

const armOf = (crowd: CrowdName, belief: Belief): string => `${crowd}, ${belief === 'feed' ? 'feed' : `${belief} s`}`;
const arms = crowds.flatMap((crowd) => beliefs.map((belief) => ({ crowd, belief, name: armOf(crowd, belief) })));

function describeArm(crowd: CrowdName, belief: Belief): string {
  const who = crowd === 'few' ? `${fewPeople} people` : 'all people';
  if (belief === 'feed') return `${who}; believed for up to a minute while the feed of revocations is heard, as the shop does it`;
  return belief === 0
    ? `${who}; auth is asked for each request`
    : `${who}; an answer is believed for ${belief} s, and nobody takes it back`;
}

function figure(result: Result): FigureData {
  return {
    title: 'What a memory of identity saves, against how long it lets an ended session in',
    mark: 'line',
    x: { field: 'stale', title: 'accepted after its end, mean (s)', type: 'quantitative' },
    y: { field: 'questions', title: 'questions at auth a second, of 50 requests', type: 'quantitative' },
    series: 'crowd',
    points: arms.map(({ crowd, belief, name }) => ({
      crowd: `${crowd} people, ${belief === 'feed' ? 'with the feed' : 'for 0, 0.5, 2 and 10 s'}`,
      stale: middleOf(result, name, stale),
      questions: middleOf(result, name, questions),
    })),
  };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function measuredOf({ hitRatio, questionsPerS, staleS, cutStaleS }: Seen, crowd: Crowd, belief: Belief): Measured {
  const expected = expectedOf(crowd, belief === 'feed' ? feedLifeS : belief);
  return {
    [hits]: 100 * hitRatio,
    [hitsExpected]: 100 * expected.hitRatio,
    [questions]: questionsPerS,
    [questionsExpected]: expected.questionsPerS,
    [stale]: mean(staleS),
    [worst]: Math.max(...staleS, cutStaleS ?? 0),
  };
}

export const lab: Lab = {
  name: 'identity-cache',
  claim: 'a cache makes identity free, and stale',
  question: 'The gateway remembers what auth said about a session. How many questions does that save, and who gets in who should not?',
  needs: 'node',
  rounds: { quick: 1, full: 4 },
  prediction: {
    kind: 'choice',
    asks: '2,000 people make 50 requests a second together, and a few of them make most. The gateway believes an answer for 2 s. How many requests are answered from memory?',
    choices: { a: 'more than nine in ten', b: 'about four in ten', c: 'fewer than one in ten' },
    right: 'b',
  },
  dials: {
    people: { value: 2_000, min: 50, max: 20_000, unit: '', says: 'people of the arms "many"' },
    gateways: { value: 1, min: 1, max: 16, unit: '', says: 'gateways, each with a memory of its own; a request reaches any of them' },
  },
  arms: arms.map(({ crowd, belief, name }) => ({ name, says: describeArm(crowd, belief) })),
  control: armOf('many', 2),
  quantities: {
    [hits]: { unit: '%', says: 'requests that asked nobody' },
    [hitsExpected]: { unit: '%', says: 'r T / (1 + r T), over all people' },
    [questions]: { unit: '/s', says: 'by the metric of auth' },
    [questionsExpected]: { unit: '/s', says: 'the sum of r / (1 + r T)' },
    [stale]: { unit: 's', says: 'from the acknowledged end to the last acceptance, mean' },
    [worst]: { unit: 's', says: 'the longest of them; with the feed, one whose end came while the feed was cut' },
  },
  statements: [
    {
      says: 'to remember for longer is to be staler: with the feed, which lets an answer live for a minute, an ended session is accepted as long as after 2 s without, or nearly',
      quantity: stale,
      of: armOf('many', 'feed'),
      against: armOf('many', 2),
      as: 'difference',
      above: -0.4,
      margin: 0.3,
      found: 'does not hold',
      inQuick: 'held',
    },
    {
      says: 'an answer that nobody takes back is accepted for at least 3 s after the end, where it is believed for 10 s',
      quantity: stale,
      of: armOf('many', 10),
      against: armOf('many', 0),
      as: 'difference',
      above: 3,
      margin: 0.3,
      found: 'holds',
      inQuick: 'held',
    },
    {
      says: 'it is not free: with many people 2 s leave at least 15 questions a second more than with few, of 50 requests',
      quantity: questions,
      of: armOf('many', 2),
      against: armOf('few', 2),
      as: 'difference',
      above: 15,
      margin: 5,
      found: 'holds',
      inQuick: 'held',
    },
    {
      says: 'with few people the same 2 s save at least three questions of four',
      quantity: questions,
      of: armOf('few', 0),
      against: armOf('few', 2),
      as: 'ratio',
      above: 4,
      margin: 0.1,
      found: 'holds',
      inQuick: 'held',
    },
    {
      says: 'the feed saves more: with many people it halves the questions that 2 s leave',
      quantity: questions,
      of: armOf('many', 2),
      against: armOf('many', 'feed'),
      as: 'ratio',
      above: 2,
      margin: 0.1,
      found: 'holds',
      inQuick: 'held',
    },
  ],
  figure,
  exercise: {
    task: 'Four gateways in place of one, each with a memory of its own. The same people make the same requests, and each reaches any gateway.',
    set: { gateways: 4 },
    asks: `Few people (${fewPeople}), believed for 2 s: how many percent of the requests are answered from memory now?`,
    unit: '%',
    answer: (result) => middleOf(result, armOf('few', 2), hits),
    withinPart: 0,
    withinAtLeast: 6,
    why: 'Each gateway sees a quarter of a person’s requests, so r in r T / (1 + r T) is a quarter. More gateways make a memory colder, and a redeploy empties it. A balancer that sends a person to the same gateway keeps it warm, and is a hint only: any gateway must be able to answer.',
  },
  async open({ quick, dials, say }) {
    say('starting auth, and signing people in');
    const sizes = { few: fewPeople, many: dials['people']! };
    const stage = await openStage({
      peopleMax: Math.max(...Object.values(sizes)),
      seconds: quick ? 40 : 60,
      endings: quick ? 8 : 20,
    });
    let nth = 0;
    return {
      async measure(name, round) {
        const { crowd, belief } = arms.find((arm) => arm.name === name)!;
        const asked = { people: sizes[crowd], ratePerS: requestsPerS, gateways: dials['gateways']! };
        const seed = 1_000 * round + nth++;
        say(`its people come by chance, with the seed ${seed}`);
        return measuredOf(await stage.measure(belief, asked, seed), asked, belief);
      },
      close: () => stage.close(),
    };
  },
};
