/** What a fault's dial decides, besides where and how long. Pure, so that a plan can say it before it happens. */
import type { PlannedFault } from './schedule.ts';

/** Further digits of a dial, as good as its first for another choice. */
const digitsBelow = (dial: number): number => (dial * 1_000) % 1;
const choose = <T>(dial: number, items: readonly T[]): T => items[Math.floor(digitsBelow(dial) * items.length)]!;

/** A clock that is wrong by as much as NTP gone astray makes it, ahead or behind. */
const skewsMs = [-30_000, -5_000, -1_500, 1_500, 5_000, 30_000] as const;
export const skewMsOf = (dial: number): number => choose(dial, skewsMs);

export const heldOf = (dial: number): 'requests' | 'answers' | 'both' => choose(dial, ['requests', 'answers', 'both'] as const);

const latencyMinMs = 20;
const latencyMaxMs = 400;
/** On a curve: a small one is as likely as a large one. */
export const latencyMsOf = (dial: number): number => Math.round(latencyMinMs * (latencyMaxMs / latencyMinMs) ** dial);

/**
 * apart: one broker reaches nobody. pair: it and one other do not reach each other, while everybody else reaches both. deaf: what the other
 * brokers send to it is lost.
 */
export const partitionOf = (dial: number): 'apart' | 'pair' | 'deaf' => choose(dial, ['apart', 'pair', 'deaf'] as const);

/** `skew -5 s`, `hold answers`: as the timeline says it. */
export function labelOf({ name, dial }: Pick<PlannedFault, 'name' | 'dial'>): string {
  if (name === 'skew') return `skew ${skewMsOf(dial) > 0 ? '+' : ''}${skewMsOf(dial) / 1_000} s`;
  if (name === 'hold') return `hold ${heldOf(dial)}`;
  if (name === 'latency') return `latency ${latencyMsOf(dial)} ms`;
  if (name === 'partition') return `partition ${partitionOf(dial)}`;
  return name;
}
