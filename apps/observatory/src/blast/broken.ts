/** The parts that are gone, as the failure matrix names them, and since when. */
import { failureMatrix, type FailurePart, faultKinds, type FaultSwitch, type LinkedStack } from '@cloakroom/contracts';
import { type FaultPromises, promisesUnder } from './fault-promises.ts';

export interface Broken {
  /** undefined: the matrix says nothing of it. */
  readonly part: FailurePart | undefined;
  readonly why: string;
  /** The trainee who meets it; undefined: everybody does. */
  readonly experiment: string | undefined;
  /** Promises of the shop under a fault of which the matrix says nothing; undefined: none. */
  readonly promises?: FaultPromises | undefined;
}

/** Broken from one instant to another; Infinity: it is broken now. */
export interface BrokenStretch extends Broken {
  readonly fromMs: number;
  readonly untilMs: number;
}

export const brokenNow = (stack: LinkedStack, switches: readonly FaultSwitch[]): readonly Broken[] => [
  ...brokenParts(stack),
  ...switches.map(brokenBy),
];

/**
 * A fault that makes a part as good as gone for those who meet it. A log that takes no records is not gone: carts are read from it, and are not stale.
 */
function partOf({ fault, at }: FaultSwitch): FailurePart | undefined {
  if (fault === 'session-store-fails') return 'redis-sessions';
  if (fault !== 'database-fails') return undefined;
  // catalog keeps its products in memory. Without its database auth is as good as gone.
  return at === undefined ? 'postgres' : at === 'auth' || at === 'profile' || at === 'orders' ? at : undefined;
}

function brokenBy(one: FaultSwitch): Broken {
  const part = partOf(one);
  const { title } = faultKinds[one.fault];
  const why = one.at === undefined ? `“${title}”` : `“${title}” (${one.at})`;
  return { part, why, experiment: one.experiment, promises: promisesUnder(one) };
}

/** Parts of several replicas are gone when none of them is left. */
function brokenParts({ processes }: LinkedStack): Broken[] {
  const byPart = Map.groupBy(processes, ({ name }) => name.replace(/-\d+$/, ''));
  return [...byPart].flatMap(([name, replicas]) => {
    const row = failureMatrix.find(({ part }) => part === name);
    const [first] = replicas;
    if (row === undefined || first === undefined || replicas.some(({ state }) => state === 'ready')) return [];
    // A paused process keeps its connections, so a promise for a killed one says nothing of it.
    const isPaused = first.state === 'paused';
    const isPromised = !isPaused || row.ways.includes('paused');
    return [
      {
        part: isPromised ? row.part : undefined,
        why: isPromised ? `its process is ${isPaused ? 'paused' : 'gone'}` : `${name} is paused`,
        experiment: undefined,
      },
    ];
  });
}

const keyOf = ({ part, why, experiment }: Broken): string => [part, why, experiment].join(' ');

/** Remembers what was broken when, for as long as an answer of that time may be looked at. */
export class BrokenHistory {
  readonly #keptMs: number;
  #stretches: readonly BrokenStretch[] = [];

  constructor(keptMs: number) {
    this.#keptMs = keptMs;
  }

  get stretches(): readonly BrokenStretch[] {
    return this.#stretches;
  }

  /** To be told at each change. */
  note(broken: readonly Broken[], nowMs: number): void {
    const keys = new Set(broken.map(keyOf));
    const open = new Set(this.#stretches.filter(({ untilMs }) => untilMs === Infinity).map(keyOf));
    const begun = broken.filter((one) => !open.has(keyOf(one))).map((one) => ({ ...one, fromMs: nowMs, untilMs: Infinity }));
    const kept = this.#stretches.map((one) => (one.untilMs === Infinity && !keys.has(keyOf(one)) ? { ...one, untilMs: nowMs } : one));
    this.#stretches = [...kept.filter(({ untilMs }) => untilMs > nowMs - this.#keptMs), ...begun];
  }
}
