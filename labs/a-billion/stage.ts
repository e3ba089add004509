/** Holds the simulator against the real stack, size by size: memory, questions to auth, traffic of the revocation feed. */
import { openCrowd, type Crowd } from './crowd.ts';
import { readFigures } from './figures.ts';
import { knobs, simulate, usualWish, type Figures, type Wish } from './simulator.ts';
import { hearMinute, minuteS } from './traffic.ts';

export const kinds = ['memory', 'questions', 'feed'] as const;
export type Kind = (typeof kinds)[number];
export type Numbers = Readonly<Record<Kind, number>>;

/** People of the measured shop ask all the time, so that a minute of it is enough. */
const gapS = 20;
/** Sign-outs and replaced tokens of one person. */
const endedInADay = 2;

export interface Size {
  /** Questions to auth for each request, as measured. */
  readonly askedPart: number;
  readonly people: number;
  readonly measured: Numbers;
  readonly simulated: Numbers;
  readonly guessed: Numbers;
}

/** The shop of one size, as it is measured. @param spread gateways that one person's requests meet */
export const wishOf = (people: number, spread: number, lease: number): Wish => ({
  ...usualWish,
  people,
  devices: 1,
  requests: 86_400 / gapS,
  peak: 1,
  gap: gapS,
  visit: knobs.visit.max,
  spread,
  lease,
  // Tombstones of a month's ends are no part of a store that was filled a moment ago.
  revocations: endedInADay,
});

export interface Stage {
  /** @param windowS seconds that are counted at the gateway */
  measure(people: number, windowS: number): Promise<Size>;
  close(): Promise<void>;
}

export async function openStage(base: number, spread: number, lease: number, figures: Figures = readFigures()): Promise<Stage> {
  const crowd = await openCrowd(base);
  return {
    async measure(people, windowS) {
      const wish = wishOf(people, spread, lease);
      const measured = await measureAll(crowd, wish, windowS, figures);
      const { rps } = simulate('hybrid', wish, figures).values;
      return { people, measured, askedPart: measured.questions / rps, simulated: simulated(wish, figures), guessed: guessed(wish) };
    },
    close: () => crowd.close(),
  };
}

async function measureAll(crowd: Crowd, wish: Wish, windowS: number, figures: Figures): Promise<Numbers> {
  const { values } = simulate('hybrid', wish, figures);
  const memory = await crowd.fill(wish.people);
  const people = Math.min(wish.people, Math.round(values.knownEach));
  const asked = await crowd.ask({ people, gapS: wish.gap * values.met, windowS, isLeased: wish.lease > 0 });
  const heard = await hearMinute(Math.round(values.heard * minuteS), Math.round(values.beats * minuteS));
  return { memory, questions: asked * values.rps, feed: (heard / minuteS) * values.readers };
}

/** Memory without tombstones: nobody has signed out of the measured store yet. */
function simulated(wish: Wish, figures: Figures): Numbers {
  const { values } = simulate('hybrid', wish, figures);
  return { memory: values.sessions * values.sessionBytes, questions: values.questions, feed: values.feedBytes };
}

/** The back of an envelope, as it is drawn on whiteboards: a record is what one would write down, each request is a look-up, and an end is a message. */
const guess = { recordBytes: 200, messageBytes: 100 };
const guessed = (wish: Wish): Numbers => ({
  memory: wish.people * guess.recordBytes,
  questions: wish.people / wish.gap,
  feed: ((wish.people * wish.revocations) / 86_400) * guess.messageBytes,
});

/** How far a prediction is from the measurement, as a part of the measurement. */
export const missOf = (predicted: number, measured: number): number => Math.abs(predicted - measured) / measured;
