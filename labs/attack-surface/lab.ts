import type { Lab, Statement } from '../runner/lab.ts';
import { middleOf } from '../runner/present.ts';
import { arms, everything, framework, ours, parser, tried } from './arms.ts';
import { attackArm } from './stage.ts';

const gotIn = 'got in';
const attempts = 'tried';

const says: Readonly<Record<string, string>> = {
  [everything]: 'the shop as it ships',
  'no signature check': 'services take a passport whatever its signature',
  'old session stays': 'a sign-in leaves the session from before alive',
  'no revocations': 'services do not compare a passport with the revocations heard',
  'no origin check': 'the gateway does not ask where an unsafe request comes from',
  'any cookie wins': 'of two cookies that could be the session, the gateway takes the last',
  [parser]: 'Node’s strict HTTP parser is told to be lenient: a defence of the framework',
  [framework]: `${ours.length} defences of this project are gone, and Nest, Fastify, Node and gRPC stay as they come`,
};

const opens = (arm: string, more: Partial<Statement> = {}): Statement => ({
  says: `${arm}: more attacks get in than with all defences`,
  quantity: gotIn,
  of: arm,
  against: everything,
  as: 'difference',
  above: 0.5,
  margin: 0.5,
  found: 'holds',
  inQuick: 'shown',
  ...more,
});

/** A quick run starts two shops and the control, since each start takes seconds. */
const inQuick: ReadonlySet<string> = new Set([everything, framework]);

export const lab: Lab = {
  name: 'attack-surface',
  claim: 'the framework protects you',
  question: `${tried.length} attacks on sessions, tokens and the edge, against a shop from which one defence is taken away at a time. Which get in?`,
  needs: 'node',
  rounds: { quick: 1, full: 1 },
  prediction: {
    kind: 'choice',
    asks: `Nine defences that this project wrote are gone. NestJS, Fastify, Node and gRPC stay, with their usual settings. How many of the ${tried.length} attacks get in?`,
    choices: { a: 'none: a current framework is safe by default', b: 'two or three', c: 'ten or more' },
    right: 'c',
  },
  dials: {
    keep: {
      value: 0,
      min: 0,
      max: ours.length,
      unit: '',
      says: `the defence that stays in "${framework}"; 0: none. ${ours.map((name, at) => `${at + 1}: ${name}`).join(', ')}`,
    },
  },
  arms: Object.keys(arms).map((name) => ({ name, says: says[name]! })),
  control: everything,
  quantities: {
    [gotIn]: { unit: 'attacks', says: 'attacks that succeeded' },
    [attempts]: { unit: 'attacks', says: 'attacks that were tried' },
  },
  statements: [
    {
      says: 'without our own defences, no more attacks get in',
      quantity: gotIn,
      of: everything,
      against: framework,
      as: 'difference',
      above: -0.5,
      margin: 0.5,
      found: 'does not hold',
      inQuick: 'held',
    },
    ...Object.keys(arms)
      .filter((arm) => !inQuick.has(arm))
      .map((arm) => opens(arm)),
  ],
  figure: (result) => ({
    title: `Attacks that got in, of ${tried.length}`,
    mark: 'bar',
    x: { field: 'attacks', title: 'attacks that got in', type: 'quantitative' },
    y: { field: 'away', title: '', type: 'nominal' },
    points: Object.keys(arms).map((away) => ({ away, attacks: middleOf(result, away, gotIn) })),
  }),
  exercise: {
    task: `All nine of our defences are gone but one: services verify the signature of a passport again. The run takes half a minute.`,
    set: { keep: 1 },
    asks: `How many of the ${tried.length} attacks still get in? The table of the full run has all that you need.`,
    unit: 'attacks',
    answer: (result) => middleOf(result, framework, gotIn),
    withinPart: 0,
    withinAtLeast: 1,
    why: 'The signature closes the forgeries, which are several attacks by one door. It does nothing about requests, cookies and ended sessions: those are other doors. A defence counts by the door that it closes, not by how strong it is.',
  },
  open: ({ quick, dials, base, say }) => {
    const stories = new Map<string, string>();
    const keep = dials['keep']!;
    const few = quick || keep > 0;
    return Promise.resolve({
      async measure(arm) {
        // NaN: this run says nothing about the arm.
        if (few && !inQuick.has(arm)) return { [gotIn]: Number.NaN, [attempts]: 0 };
        const attempt = await attackArm(arm, { base, quick, keep });
        const list = attempt.gotIn.map(({ says: what, title }) => `  ${title.split(' ', 1)[0]} ${what}`);
        if (list.length > 0) stories.set(arm, `These got in:\n${list.join('\n')}`);
        say(`${attempt.gotIn.length} of ${attempt.tried} got in`);
        return { [gotIn]: attempt.gotIn.length, [attempts]: attempt.tried };
      },
      story: (arm) => stories.get(arm),
      close: () => Promise.resolve(),
    });
  },
};
