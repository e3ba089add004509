import { tokenModeNames, type TokenModeName } from '@cloakroom/contracts';
import type { FigureData, Lab, Result } from '../runner/lab.ts';
import { short } from '../runner/judge.ts';
import { middleOf } from '../runner/present.ts';
import { openStage } from './stage.ts';
import { stayOpen } from './stay.ts';

const distancesMs = [0, 1, 5, 20] as const;
/** The fastest tenth: other work on the machine hardly blurs it. */
const time = 'time of a request, p10';
const half = 'p50';
const asked = 'store reads a request';
const accepted = 'accepted after its end';

const says: Readonly<Record<TokenModeName, string>> = {
  reference: 'the gateway asks auth, and auth its store, for each request',
  hybrid: 'the same token; the answer is remembered for up to a minute, while a feed of revocations is heard',
  'jwt-denylist': 'a signed token, and each part keeps a list of those that were ended',
  jwt: 'a signed token, and nobody is asked',
};
const armOf = (mode: TokenModeName, rttMs: number): string => `${mode}, ${rttMs} ms`;
const arms = tokenModeNames.flatMap((mode) => distancesMs.map((rttMs) => ({ mode, rttMs, name: armOf(mode, rttMs) })));
const found = (name: string) => arms.find((arm) => arm.name === name)!;

/** A logarithm needs a least value, and most ended sessions are accepted for 0 ms. */
const leastShownMs = 1;

/**
 * The distance at which a token that is looked up costs as much as a JWT: t = a + b x distance by least squares, against the median JWT. Below zero
 * the lines do not cross: the look-up is dearer even beside the store.
 */
export function crossingMs(result: Result): number {
  const points = arms
    .filter(({ mode }) => mode === 'reference')
    .map(({ rttMs, name }) => ({ x: rttMs, y: middleOf(result, name, time) }))
    .filter(({ y }) => Number.isFinite(y));
  const mean = (of: (point: { x: number; y: number }) => number) => points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean((point) => point.x), mean((point) => point.y)];
  const slope = mean((point) => (point.x - x) * (point.y - y)) / mean((point) => (point.x - x) ** 2);
  return (middleOf(result, armOf('jwt', 0), time) - (y - slope * x)) / slope;
}

function crossingIn(result: Result): string {
  const ms = crossingMs(result);
  if (!Number.isFinite(ms)) return '';
  if (ms <= 0) return 'A look-up costs more than a JWT at any distance: they do not cross.';
  return `A look-up costs as much as a JWT ${short(ms)} ms away: there they cross.`;
}

function figure(result: Result): FigureData {
  return {
    title: `What a mode costs, and whom it lets in: a point for the store 0, 1, 5 and 20 ms away. ${crossingIn(result)}`.trim(),
    mark: 'line',
    x: { field: 'ms', title: 'time of a request, p10 (ms)', type: 'quantitative', scale: 'log' },
    y: { field: 'accepted', title: 'accepted after its end (ms)', type: 'quantitative', scale: 'log' },
    series: 'mode',
    points: arms
      .map(({ mode, rttMs, name }) => ({
        mode,
        distance: rttMs,
        ms: middleOf(result, name, time),
        accepted: Math.max(leastShownMs, middleOf(result, name, accepted)),
      }))
      .filter(({ ms }) => Number.isFinite(ms)),
  };
}

export const lab: Lab = {
  name: 'reference-or-jwt',
  claim: 'JWT is faster',
  question:
    'A reference token is looked up for each request, a JWT is only verified. What does the look-up cost, and what does its absence cost?',
  needs: 'native',
  rounds: { quick: 1, full: 7 },
  prediction: {
    kind: 'choice',
    asks: 'The session store is 20 ms away. Which requests are served fastest?',
    choices: {
      a: 'those with a JWT, clearly',
      b: 'those with a JWT and those with a reference token whose answer is remembered, about alike',
      c: 'those with a reference token that is looked up each time',
    },
    right: 'b',
  },
  dials: { lifetime: { value: 10, min: 5, max: 300, unit: 's', says: 'life of an access token' } },
  arms: arms.map(({ mode, rttMs, name }) => ({ name, says: `${says[mode]}; the store is ${rttMs} ms further away` })),
  control: armOf('hybrid', 20),
  quantities: {
    [time]: { unit: 'ms', says: 'GET /api/cart, one after the other' },
    [half]: { unit: 'ms', says: 'the same' },
    [asked]: { unit: '', says: 'sessions that the store has read, by its own count' },
    [accepted]: { unit: 'ms', says: 'from the acknowledged end to the last acceptance by any of two gateways' },
  },
  statements: [
    {
      says: 'only a JWT saves the way to the store: a reference token whose answer is remembered takes as long as one that is looked up, the store 20 ms away, or up to 10 ms less',
      quantity: time,
      of: armOf('hybrid', 20),
      against: armOf('reference', 20),
      as: 'difference',
      above: -10,
      margin: 10,
      found: 'does not hold',
      inQuick: 'shown',
    },
    {
      says: 'to look a token up for each request takes at least 10 ms longer than to verify a JWT, the store 20 ms away',
      quantity: time,
      of: armOf('reference', 20),
      against: armOf('jwt', 20),
      as: 'difference',
      above: 10,
      margin: 10,
      found: 'holds',
      inQuick: 'shown',
    },
    {
      says: 'a reference token that is looked up costs the store a read for each request; one whose answer is remembered costs next to none',
      quantity: asked,
      of: armOf('reference', 20),
      against: armOf('hybrid', 20),
      as: 'difference',
      above: 0.7,
      margin: 0.3,
      found: 'holds',
      inQuick: 'held',
    },
    {
      says: 'a session that has ended is accepted for at least 3 s longer with a JWT than with an answer that is remembered',
      quantity: accepted,
      of: armOf('jwt', 0),
      against: armOf('hybrid', 0),
      as: 'difference',
      above: 3_000,
      margin: 2_500,
      found: 'holds',
      inQuick: 'held',
    },
    {
      says: 'a list of ended tokens shortens that by at least 3 s',
      quantity: accepted,
      of: armOf('jwt', 0),
      against: armOf('jwt-denylist', 0),
      as: 'difference',
      above: 3_000,
      margin: 2_500,
      found: 'holds',
      inQuick: 'held',
    },
  ],
  figure,
  exercise: {
    task: 'Access tokens live for 30 s in place of 10 s. Someone signs in with a JWT, and signs out at once.',
    set: { lifetime: 30 },
    asks: 'For how many seconds is the token that a thief has copied still accepted?',
    unit: 's',
    answer: (result) => middleOf(result, armOf('jwt', 0), accepted) / 1_000,
    withinPart: 0.1,
    withinAtLeast: 2,
    why: 'Nobody is asked, so nobody can say no: the token is good until the time that stands in it. A shorter life shortens that, and makes browsers ask for a new token more often, which is a look-up again.',
  },
  async open({ quick, dials, base, say }) {
    say('starting two gateways, auth and cart with their stores');
    // A quick run leaves out what no statement is about.
    const needed = new Set([lab.control, ...lab.statements.flatMap(({ of, against }) => [of, against])]);
    const measured = arms.filter(({ name }) => !quick || needed.has(name));
    const stage = await openStage({
      base,
      lifetimeS: dials['lifetime']!,
      blockSeconds: quick ? 0.4 : 0.6,
      endedJwtCount: (quick ? lab.rounds.quick : lab.rounds.full) * measured.filter(({ mode }) => mode === 'jwt').length,
    });
    return {
      async measure(name) {
        const arm = found(name);
        if (!measured.includes(arm)) return {};
        const { mode, rttMs } = arm;
        const seen = await stage.measure(mode, rttMs);
        return { [time]: seen.p10Ms, [half]: seen.p50Ms, [asked]: seen.readsPerRequest, [accepted]: seen.acceptedMs };
      },
      close: () => stage.close(),
    };
  },
  stay: (arm, base) => stayOpen(found(arm), base),
};
