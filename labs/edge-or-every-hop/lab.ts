import type { FigureData, Lab, Result } from '../runner/lab.ts';
import { middleOf } from '../runner/present.ts';
import { openStage, type Check, type Place } from './stage.ts';

const distancesMs = [0, 5, 20] as const;
/** A quick run measures these alone: its statements are about no other. */
const quickDistancesMs: ReadonlySet<number> = new Set([0, 20]);

/** The fastest tenth: other work on the machine hardly blurs it. */
const time = 'time of a request, p10';
const half = 'p50';
const questions = 'store reads a request';
const accepted = 'accepted at a hop after its end';
const good = 'good answers without auth';

interface Design extends Pick<Place, 'check' | 'near'> {
  readonly says: string;
}

const designs = {
  'edge alone': { check: 'edge alone', near: false, says: 'the edge asks auth for each request; a hop verifies the passport that it gets' },
  'edge and feed': {
    check: 'edge and feed',
    near: false,
    says: 'the edge remembers auth’s answer, a hop verifies the passport, and both hear of ended sessions',
  },
  'every hop': { check: 'every hop', near: false, says: 'the edge passes the token on, and each hop asks auth' },
  'near edge alone': {
    check: 'edge alone',
    near: true,
    says: 'as "edge alone", and the edge stands near the person: far from auth and from the hops',
  },
  'near edge and feed': { check: 'edge and feed', near: true, says: 'as "edge and feed", with the edge near the person' },
} as const satisfies Record<string, Design>;
type DesignName = keyof typeof designs;
const designNames = Object.keys(designs) as DesignName[];

const armOf = (design: DesignName, rttMs: number): string => `${design}, ${rttMs} ms`;
const arms = designNames.flatMap((design) => distancesMs.map((rttMs) => ({ design, rttMs, name: armOf(design, rttMs) })));

function figure(result: Result): FigureData {
  return {
    title: 'What a request waits for, by who finds out for whom it is made',
    mark: 'line',
    x: { field: 'distance', title: 'way to auth and back (ms)', type: 'quantitative' },
    y: { field: 'ms', title: 'time of a request, three hops, p10 (ms)', type: 'quantitative' },
    series: 'check',
    points: arms
      .map(({ design, rttMs, name }) => ({ check: design, distance: rttMs, ms: middleOf(result, name, time) }))
      .filter(({ ms }) => Number.isFinite(ms)),
  };
}

export const lab: Lab = {
  name: 'edge-or-every-hop',
  claim: 'checking once at the edge is enough',
  question:
    'A request passes the edge and three services. Does the edge find out for whom it is, or does each service ask auth? What do they cost, and what gets through?',
  needs: 'node',
  rounds: { quick: 1, full: 5 },
  prediction: {
    kind: 'choice',
    asks: 'The edge asks auth, and the services verify the signed passport that it sends on. Then the session is ended. A thief inside shows a service the same passport again. How long is it accepted?',
    choices: { a: 'not at all: the session has ended', b: 'until the passport ends, up to a minute', c: 'for ever' },
    right: 'b',
  },
  dials: { hops: { value: 3, min: 1, max: 8, unit: '', says: 'services that a request passes after the edge' } },
  arms: arms.map(({ design, rttMs, name }) => ({ name, says: `${designs[design].says}; auth is ${rttMs} ms away` })),
  control: armOf('edge and feed', 0),
  quantities: {
    [time]: { unit: 'ms', says: 'one after the other' },
    [half]: { unit: 'ms', says: 'the same' },
    [questions]: { unit: '', says: 'questions that auth counted: each is one read of the session store' },
    [accepted]: { unit: 's', says: 'from the acknowledged end to the last acceptance by the last hop' },
    [good]: { unit: '%', says: 'requests that were answered while auth was dead; how far away it was does not count' },
  },
  statements: [
    {
      says: 'after a check at the edge alone, a hop refuses an ended session as soon as one that asks auth, or at most 5 s later',
      quantity: accepted,
      of: armOf('every hop', 0),
      against: armOf('edge alone', 0),
      as: 'difference',
      above: -5,
      margin: 3,
      found: 'does not hold',
      inQuick: 'held',
    },
    {
      says: 'a feed of ended sessions at the hops shortens that by at least 30 s',
      quantity: accepted,
      of: armOf('edge alone', 0),
      against: armOf('edge and feed', 0),
      as: 'difference',
      above: 30,
      margin: 3,
      found: 'holds',
      inQuick: 'held',
    },
    {
      says: 'hops that ask cost the session store at least two reads more than one check at the edge',
      quantity: questions,
      of: armOf('every hop', 0),
      against: armOf('edge alone', 0),
      as: 'difference',
      above: 1.5,
      margin: 0.3,
      found: 'holds',
      inQuick: 'held',
    },
    {
      says: 'with auth 20 ms away, hops that ask make a request at least 20 ms slower than one check at the edge',
      quantity: time,
      of: armOf('every hop', 20),
      against: armOf('edge alone', 20),
      as: 'difference',
      above: 20,
      margin: 12,
      found: 'holds',
      inQuick: 'shown',
    },
    {
      says: 'an edge near the person that asks for each request is at least 15 ms slower than one that remembers, auth and the hops 20 ms away',
      quantity: time,
      of: armOf('near edge alone', 20),
      against: armOf('near edge and feed', 20),
      as: 'difference',
      above: 15,
      margin: 12,
      found: 'holds',
      inQuick: 'shown',
    },
    {
      says: 'with auth dead, an edge that remembers answers at least 90 requests of 100 more than hops that ask',
      quantity: good,
      of: armOf('edge and feed', 0),
      against: armOf('every hop', 0),
      as: 'difference',
      above: 90,
      margin: 5,
      found: 'holds',
      inQuick: 'held',
    },
  ],
  figure,
  exercise: {
    task: 'Six services in place of three, and each asks auth, which is 20 ms away.',
    set: { hops: 6 },
    asks: 'How many milliseconds does a request take now?',
    unit: 'ms',
    answer: (result) => middleOf(result, armOf('every hop', 20), time),
    withinPart: 0.35,
    withinAtLeast: 5,
    why: 'Each hop waits for auth before it calls the next one, so the ways add up: six times 20 ms, and six times the work. A check at the edge pays the way once, however many services follow, and one that remembers pays it once a minute.',
  },
  async open({ quick, dials, say }) {
    say('starting auth');
    const stage = await openStage({ hopCount: dials['hops']!, requestCount: quick ? 25 : 40 });
    return {
      async measure(name) {
        const { design, rttMs } = arms.find((arm) => arm.name === name)!;
        if (quick && !quickDistancesMs.has(rttMs)) return {};
        const { check, near }: { check: Check; near: boolean } = designs[design];
        const seen = await stage.measure({ check, near, rttMs }, rttMs === 0);
        return {
          [time]: seen.p10Ms,
          [half]: seen.p50Ms,
          [questions]: seen.questionsPerRequest,
          [accepted]: seen.acceptedS,
          ...(seen.goodWithoutAuth !== undefined && { [good]: seen.goodWithoutAuth }),
        };
      },
      close: () => stage.close(),
    };
  },
};
