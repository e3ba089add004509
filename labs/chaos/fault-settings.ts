/** The settings that a fault's dial decides, besides its target and length. Pure, so that a plan can print them before the fault happens. */
import type { PlannedFault } from './schedule.ts';

/** Further digits of a dial, which serve as well as the first ones for another choice. */
const digitsBelow = (dial: number): number => (dial * 1_000) % 1;
const choose = <T>(dial: number, items: readonly T[]): T => items[Math.floor(digitsBelow(dial) * items.length)]!;

/** Clock errors of the size that a broken NTP makes, ahead or behind. */
const skewsMs = [-30_000, -5_000, -1_500, 1_500, 5_000, 30_000] as const;
export const skewMsOf = (dial: number): number => choose(dial, skewsMs);

export const heldOf = (dial: number): 'requests' | 'answers' | 'both' => choose(dial, ['requests', 'answers', 'both'] as const);

const latencyMinMs = 20;
const latencyMaxMs = 400;
/** The scale is logarithmic: a small latency is as likely as a large one. */
export const latencyMsOf = (dial: number): number => Math.round(latencyMinMs * (latencyMaxMs / latencyMinMs) ** dial);

/**
 * apart: one broker reaches no other process. pair: it and one other broker do not reach each other, while all other processes reach both. deaf:
 * packets from the other brokers to it are lost.
 */
export const partitionOf = (dial: number): 'apart' | 'pair' | 'deaf' => choose(dial, ['apart', 'pair', 'deaf'] as const);

/** The timeline's label, such as `skew -5 s` or `hold answers`. */
export function labelOf({ name, dial }: Pick<PlannedFault, 'name' | 'dial'>): string {
  if (name === 'skew') return `skew ${skewMsOf(dial) > 0 ? '+' : ''}${skewMsOf(dial) / 1_000} s`;
  if (name === 'hold') return `hold ${heldOf(dial)}`;
  if (name === 'latency') return `latency ${latencyMsOf(dial)} ms`;
  if (name === 'partition') return `partition ${partitionOf(dial)}`;
  return name;
}
