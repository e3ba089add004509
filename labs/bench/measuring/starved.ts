/**
 * Whether a floor did what it can. A floor that waits for its core, or for work, makes everything above it look good: the cart's floor was
 * once published at 1,071 commands a second on a machine that had no more time for it, and does four times as many elsewhere.
 * So its processor time a request is held against its throughput. A run with a starved floor fails, and publishes nothing.
 */
import { median, quantile } from './statistics.ts';

/** Parts of the core of the system under test, over one block. */
export interface CoreUse {
  /** By the processes on the way of a request. */
  readonly ours: number;
  /** By other processes. */
  readonly others: number;
  readonly stolen: number;
}

/** What is asked of one block. */
export interface FloorBlock {
  readonly perSecond: number;
  /** Of all processes that share the core with the floor. */
  readonly cpuUs: number;
  readonly core: CoreUse | undefined;
}

/** Throughput times processor time a request, in parts of a core. Floors that had one to themselves came to 0.93 to 0.98, the starved one to 0.78 to 0.88. */
export const busyMin = 0.9;
/** What others may take of the core. More, and a request's time is not only its own. */
export const othersMax = 0.1;
/**
 * Between the quartiles of the blocks. The same work on the same core: more apart, and something else decided. One block out of many may be dear,
 * as medians are published, and their range beside them.
 */
export const costSpreadMax = 1.5;

/** @returns why it cannot be compared with, in words; none where it can */
export function starvation(name: string, blocks: readonly FloorBlock[], least: { readonly busy: number } = { busy: busyMin }): string[] {
  const costs = blocks.map(({ cpuUs }) => cpuUs);
  const busy = median(blocks.map(({ perSecond, cpuUs }) => (perSecond * cpuUs) / 1e6));
  const known = blocks.flatMap(({ core }) => (core === undefined ? [] : [core.others + core.stolen]));
  // On a machine that gives no core away nobody can say what others took of it: the table says "not pinned".
  const others = known.length === 0 ? 0 : median(known);
  const apart = quantile(costs, 0.75) / quantile(costs, 0.25);
  const two = (value: number): string => value.toFixed(2);
  return [
    // Written so that a missing figure is a finding: NaN is neither above nor below.
    ...(busy >= least.busy ? [] : [`${name} kept its core busy for ${two(busy)} of the time, ${least.busy} at least`]),
    ...(others <= othersMax ? [] : [`others took ${two(others)} of the core beside ${name}, ${othersMax} at most`]),
    ...(apart <= costSpreadMax
      ? []
      : [`a request of ${name} cost ${two(apart)} times as much in a dear block as in a cheap one (quartiles), ${costSpreadMax} at most`]),
  ];
}
