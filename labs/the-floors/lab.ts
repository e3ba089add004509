import { tokenModeNames, type TokenModeName } from '@cloakroom/contracts';
import { align } from '../../infra/cli/status.ts';
import { short } from '../runner/judge.ts';
import type { Lab, Measured, Result } from '../runner/lab.ts';
import { middleOf } from '../runner/present.ts';
import { type Class, classes, openStage, type Seen, type State, states } from './stage.ts';
import { describeThefts, tryThefts } from './thefts.ts';

const without = 'without identity';
const armOf = (mode: TokenModeName, state: State): string => `${mode}, ${state}`;
const arms = tokenModeNames.flatMap((mode) => states.map((state) => ({ mode, state, name: armOf(mode, state) })));
const answered = (name: Class): string => `${name} answered`;
const p50 = (name: Class): string => `${name} p50`;
const opened = 'opened by nobody';

const saysState: Readonly<Record<State, string>> = {
  full: 'auth reaches the session store',
  slow: 'each answer of the session store is late',
  away: 'every connection to the session store ends',
};

export const lab: Lab = {
  name: 'the-floors',
  claim: 'session state defines the availability floor, the latency floor and the security boundary',
  question:
    'What is the least latency, and the most availability, that an operation can have in each session mode, and what does each stolen thing open?',
  needs: 'native',
  rounds: { quick: 1, full: 4 },
  prediction: {
    kind: 'choice',
    asks: 'The session store is away. A person in the mode hybrid, seen a moment ago, looks at the cart and then at the list of devices. What happens?',
    choices: { a: 'both are answered', b: 'the cart is answered, the devices are not', c: 'neither is answered' },
    right: 'b',
  },
  dials: { slow: { value: 60, min: 0, max: 300, unit: 'ms', says: 'what the session store’s answers are late by, while it is slow' } },
  arms: [
    ...arms.map(({ mode, state, name }) => ({ name, says: `sessions in the mode ${mode}; ${saysState[state]}` })),
    { name: without, says: 'a gateway that identifies nobody: a build of this lab alone' },
  ],
  control: armOf('hybrid', 'full'),
  quantities: {
    ...Object.fromEntries(
      classes.map((name) => [answered(name), { unit: '%', says: `requests of the class ${name} that got their answer` }]),
    ),
    ...Object.fromEntries(classes.map((name) => [p50(name), { unit: 'ms', says: `one after the other, of the answered ones` }])),
    [opened]: { unit: '', says: '1 where a request without any cookie gets a cart' },
  },
  statements: [
    {
      says: 'availability: with the store away, a mode that must ask loses carts that a mode that need not ask serves',
      quantity: answered('cart'),
      of: armOf('jwt', 'away'),
      against: armOf('reference', 'away'),
      as: 'difference',
      above: 50,
      margin: 5,
      found: 'holds',
      inQuick: 'held',
    },
    {
      says: 'availability: an answer that is remembered under a lease serves those carts too',
      quantity: answered('cart'),
      of: armOf('hybrid', 'away'),
      against: armOf('reference', 'away'),
      as: 'difference',
      above: 50,
      margin: 5,
      found: 'holds',
      inQuick: 'held',
    },
    {
      says: 'availability: a sensitive operation is refused with the store away, with a JWT too',
      quantity: answered('sensitive'),
      of: armOf('jwt', 'full'),
      against: armOf('jwt', 'away'),
      as: 'difference',
      above: 50,
      margin: 5,
      found: 'holds',
      inQuick: 'held',
    },
    {
      says: 'latency: with the store slow, whoever asks waits for it, and whoever need not does not',
      quantity: p50('cart'),
      of: armOf('reference', 'slow'),
      against: armOf('hybrid', 'slow'),
      as: 'difference',
      above: 30,
      margin: 15,
      found: 'holds',
      inQuick: 'shown',
    },
    {
      says: 'security: without identity a request without any cookie gets a cart',
      quantity: opened,
      of: without,
      against: armOf('hybrid', 'full'),
      as: 'difference',
      above: 0.5,
      margin: 0.1,
      found: 'holds',
      inQuick: 'held',
    },
  ],
  figure,
  exercise: {
    task: 'The session store answers 200 ms late, in place of 60 ms. A person with a JWT looks at the list of devices, which is a sensitive operation.',
    set: { slow: 200 },
    asks: 'How many milliseconds does that request take now, in the median?',
    unit: 'ms',
    answer: (result) => middleOf(result, armOf('jwt', 'slow'), p50('sensitive')),
    withinPart: 0.4,
    withinAtLeast: 60,
    why: 'A sensitive operation asks in every mode, so its floor is the way to the session store, as many times as it goes there. The mode changes the floor of what may rest on an earlier answer, and of nothing else.',
  },
  open: async ({ quick, dials, base, say }) => {
    say('starting auth, two gateways, a backend and their stores');
    const size = quick ? { blockSeconds: 0.06, personCount: 1 } : { blockSeconds: 0.5, personCount: 3 };
    const stage = await openStage({ base, slowMs: dials['slow']!, ...size });
    const last = new Map<string, Partial<Record<Class, Seen>>>();
    let thefts: string | undefined;
    return {
      async measure(name): Promise<Measured> {
        const { mode, state } = arms.find((arm) => arm.name === name) ?? { mode: undefined, state: 'full' as const };
        const seen = await stage.measure(mode, state);
        last.set(name, seen);
        if (!quick) thefts ??= describeThefts(await tryThefts(stage.world, stage.people[0]!));
        return { ...measuredOf(seen), [opened]: (await stage.isOpenToNobody(mode)) ? 1 : 0 };
      },
      story: (name) =>
        name === without
          ? [...tableOf(last), '', ...(thefts === undefined ? [] : ['What a stolen thing opens:', thefts])].join('\n')
          : undefined,
      close: () => stage.close(),
    };
  },
};

function measuredOf(seen: Partial<Record<Class, Seen>>): Measured {
  const known = classes.filter((name) => seen[name] !== undefined);
  // A class in which nothing was answered has no latency.
  const timed = known.filter((name) => Number.isFinite(seen[name]!.p50Ms));
  return {
    ...Object.fromEntries(known.map((name) => [answered(name), 100 * seen[name]!.answered])),
    ...Object.fromEntries(timed.map((name) => [p50(name), seen[name]!.p50Ms])),
  };
}

/** The floors of the last round: for each class its latency, or that it is not served. */
function tableOf(last: ReadonlyMap<string, Partial<Record<Class, Seen>>>): string[] {
  const cell = (seen: Seen | undefined): string =>
    seen === undefined
      ? ''
      : seen.answered < 0.5
        ? 'not served'
        : `${short(seen.p50Ms)} ms${seen.answered < 1 ? `, ${short(100 * seen.answered)} %` : ''}`;
  return align([['', ...classes], ...[...last].map(([name, seen]) => [name, ...classes.map((one) => cell(seen[one]))])]);
}

function figure(result: Result) {
  const shown = tokenModeNames.flatMap((mode) => (['cart', 'sensitive'] as const).map((name) => ({ mode, name })));
  return {
    title: 'Answered while the store is away',
    mark: 'bar' as const,
    x: { field: 'answered', title: 'requests that got their answer (%)', type: 'quantitative' as const },
    y: { field: 'mode', title: '', type: 'nominal' as const },
    series: 'operation',
    points: shown.map(({ mode, name }) => ({ mode, operation: name, answered: middleOf(result, armOf(mode, 'away'), answered(name)) })),
  };
}
