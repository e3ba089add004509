/** One cart as each region knows it, line by line and log by log. Pure. */
import type { CartLogView } from '../../../src/api.ts';

/** One region's logs of the cart. It knows nothing of the cart where there is no step. */
export type RegionLog = Pick<CartLogView, 'steps'> & { readonly region: string };

export interface Side {
  readonly region: string;
  /** The own log first. */
  readonly heard: readonly HeardLog[];
  /** The lines of both sides, so that the rows of two sides stand beside each other. */
  readonly lines: readonly SideLine[];
}

export interface HeardLog {
  /** The region whose log it is. */
  readonly of: string;
  /** Place in that log of the newest record of this cart that the side has from it. Undefined: it has none. */
  readonly offset: string | undefined;
  /** Records of this cart that stand in that log, and that the side has not got. */
  readonly lacks: number;
}

export interface SideLine {
  readonly lineId: string;
  /** 0: this side has no such line. */
  readonly quantity: number;
  /** Another side has another quantity. */
  readonly differs: boolean;
}

export function sidesOf(logs: readonly RegionLog[]): readonly Side[] {
  const lineIds = [...new Set(logs.flatMap((log) => linesIn(log).map(({ lineId }) => lineId)))].toSorted();
  const quantityIn = (log: RegionLog, lineId: string): number => linesIn(log).find((line) => line.lineId === lineId)?.quantity ?? 0;
  return logs.map((log) => ({
    region: log.region,
    heard: logs
      .map(({ region }) => heardOf(log, logs, region))
      .toSorted((a, b) => Number(b.of === log.region) - Number(a.of === log.region)),
    lines: lineIds.map((lineId) => {
      const quantity = quantityIn(log, lineId);
      return { lineId, quantity, differs: logs.some((other) => quantityIn(other, lineId) !== quantity) };
    }),
  }));
}

/** Both have the same events, and the same cart of them. */
export const areSame = (sides: readonly Side[]): boolean =>
  sides.every(({ heard, lines }) => heard.every(({ lacks }) => lacks === 0) && lines.every(({ differs }) => !differs));

/** "us lacks 1 event of eu." for each gap; none where both have heard all. */
export const gapsIn = (sides: readonly Side[]): readonly string[] =>
  sides.flatMap(({ region, heard }) =>
    heard.filter(({ lacks }) => lacks > 0).map(({ of, lacks }) => `${region} lacks ${lacks} ${lacks === 1 ? 'event' : 'events'} of ${of}.`),
  );

const linesIn = ({ steps }: RegionLog) => steps.at(-1)?.after.lines ?? [];

function heardOf(log: RegionLog, logs: readonly RegionLog[], of: string): HeardLog {
  const own = offsetsOf(log, of);
  const all = offsetsOf(logs.find(({ region }) => region === of) ?? log, of);
  // A copy that comes twice has the offset of its log both times, and counts once.
  return { of, offset: own.at(-1), lacks: all.filter((offset) => !own.includes(offset)).length };
}

const offsetsOf = ({ steps }: RegionLog, region: string): readonly string[] => [
  ...new Set(steps.filter((step) => step.region === region).map(({ offset }) => offset)),
];
