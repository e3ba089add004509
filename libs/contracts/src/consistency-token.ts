/**
 * A consistency token says how far its bearer has come in the log of each region. Offsets are comparable within one partition of one region's
 * log alone.
 */
import { consistencyTokenPattern, regionCountMax } from './bounds.ts';

export interface LogPosition {
  readonly region: string;
  readonly partition: number;
  readonly offset: bigint;
}

/** @returns none for a missing or malformed token */
export function positionsIn(token: string | undefined): readonly LogPosition[] {
  if (token === undefined || !consistencyTokenPattern.test(token)) return [];
  return token.split('+').map((text) => {
    const [region = '', partition, offset] = text.split(':');
    return { region, partition: Number(partition), offset: BigInt(offset!) };
  });
}

export const formatPositions = (positions: readonly LogPosition[]): string =>
  positions.map(({ region, partition, offset }) => `${region}:${partition}:${offset}`).join('+');

/**
 * Joins the positions of several tokens.
 * @returns for each region the furthest that is of the partition, and no more than fit in a token: a client may invent regions
 */
export function furthestPositions(positions: readonly LogPosition[], partition: number): readonly LogPosition[] {
  const furthest = new Map<string, LogPosition>();
  for (const position of positions) {
    const known = furthest.get(position.region);
    if (position.partition === partition && !(known !== undefined && known.offset >= position.offset))
      furthest.set(position.region, position);
  }
  return [...furthest.values()].slice(0, regionCountMax);
}
