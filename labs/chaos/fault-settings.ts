/** The settings that a fault's dial decides, besides its target and length. Pure, so that a plan can print them before the fault happens. */
import type { OceanCommand } from '../../infra/ocean/ocean.types.ts';
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

/**
 * The commands that break the ocean. A way alone, and dials alone, are two faults of one way: no byte passes, or no connection is dialled along it.
 */
const cuts = [
  { label: 'both ways', command: { do: 'cut' } },
  { label: 'eu-us', command: { do: 'cut', way: 'eu-us' } },
  { label: 'us-eu', command: { do: 'cut', way: 'us-eu' } },
  { label: 'dials of eu', command: { do: 'refuse-dials', way: 'eu-us' } },
  { label: 'dials of us', command: { do: 'refuse-dials', way: 'us-eu' } },
] as const satisfies readonly OceanFault[];
const holds = [
  { label: 'both ways', command: { do: 'hold' } },
  { label: 'eu-us', command: { do: 'hold', way: 'eu-us' } },
  { label: 'us-eu', command: { do: 'hold', way: 'us-eu' } },
] as const satisfies readonly OceanFault[];

export interface OceanFault {
  readonly label: string;
  readonly command: OceanCommand;
}

const slowMinMs = 200;
const slowMaxMs = 3_000;

/** The ocean's fault of a dial. Undefined for a fault of something else. */
export function oceanFaultOf({ name, dial }: Pick<PlannedFault, 'name' | 'dial'>): OceanFault | undefined {
  if (name === 'ocean-cut') return choose(dial, cuts);
  if (name === 'ocean-hold') return choose(dial, holds);
  if (name !== 'ocean-slow') return undefined;
  const rttMs = Math.round(slowMinMs * (slowMaxMs / slowMinMs) ** dial);
  return { label: `${rttMs} ms`, command: { do: 'rtt', rttMs } };
}

export const mirrorWayOf = (dial: number): 'killed' | 'paused' => choose(dial, ['killed', 'paused'] as const);

/** The timeline's label, such as `skew -5 s` or `hold answers`. */
export function labelOf({ name, dial }: Pick<PlannedFault, 'name' | 'dial'>): string {
  if (name === 'skew') return `skew ${skewMsOf(dial) > 0 ? '+' : ''}${skewMsOf(dial) / 1_000} s`;
  if (name === 'hold') return `hold ${heldOf(dial)}`;
  if (name === 'latency') return `latency ${latencyMsOf(dial)} ms`;
  if (name === 'partition') return `partition ${partitionOf(dial)}`;
  if (name === 'mirror') return `mirror ${mirrorWayOf(dial)}`;
  const ocean = oceanFaultOf({ name, dial });
  if (ocean !== undefined) return `${name} ${ocean.label}`;
  return name;
}
