/** Choices that a seed decides. Each device has its own stream, so the choices of one do not depend on how fast another was answered. */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

export interface Choices {
  /** A number from 0 to below `end`. */
  below(end: number): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  /** Picks by weight; a choice of weight 0 is never picked. */
  weighted<T extends string>(weights: Readonly<Record<T, number>>): T;
  bytes(count: number): Uint8Array;
}

/** Any two streams of a seed differ from the first choice on. */
export function choicesOf(seed: number, stream: number): Choices {
  const random = xoroshiro128plus(Math.imul(seed, 0x9e3779b1) ^ Math.imul(stream + 1, 0x85ebca6b));
  const below = (end: number): number => uniformInt(random, 0, end - 1);
  return {
    below,
    chance: (probability) => below(1_000_000) < probability * 1_000_000,
    pick: (from) => from[below(from.length)]!,
    weighted(weights) {
      const entries = Object.entries<number>(weights) as [keyof typeof weights, number][];
      const whole = entries.reduce((sum, [, weight]) => sum + weight, 0);
      let at = (below(1_000_000) / 1_000_000) * whole;
      return entries.find(([, weight]) => weight > 0 && (at -= weight) < 0)?.[0] ?? entries.find(([, weight]) => weight > 0)![0];
    },
    bytes: (count) => Uint8Array.from({ length: count }, () => below(256)),
  };
}
