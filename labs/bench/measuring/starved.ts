/**
 * Judges whether a floor could do its best. A floor that waits for its core, or for work, makes everything above it look good. The cart's
 * floor was once published at 1,071 commands a second, on a machine that had no more time for it. On other machines it does four times as
 * many. So its processor time for a request is compared with its throughput. A run with a starved floor fails, and publishes nothing.
 */
import { median, quantile } from './statistics.ts';

/** Parts of the core of the system under test, over one block. */
export interface CoreUse {
  /** The part used by processes on the way of a request. */
  readonly ours: number;
  /** The part used by other processes. */
  readonly others: number;
  readonly stolen: number;
}

/** The figures of one block that judge a floor. */
export interface FloorBlock {
  readonly perSecond: number;
  /** The sum of all processes that share the core with the floor. */
  readonly cpuUs: number;
  readonly core: CoreUse | undefined;
}

/**
 * Throughput times processor time for a request, in parts of a core. Floors with a core to themselves came to 0.93
 * to 0.98, the starved one to 0.78 to 0.88.
 */
export const busyMin = 0.9;
/** The largest part of the core that others may take. With more, the time of a request is not only its own. */
export const othersMax = 0.1;
/**
 * The ratio between the quartiles of the blocks. They do the same work on the same core, so a larger ratio means that another cause
 * decided. One expensive block among many is allowed, because medians are published, and their range beside them.
 */
export const costSpreadMax = 1.5;

/** @returns the reasons why it is no fair comparison, in words; none where it is */
export function starvation(name: string, blocks: readonly FloorBlock[], least: { readonly busy: number } = { busy: busyMin }): string[] {
  const costs = blocks.map(({ cpuUs }) => cpuUs);
  const busy = median(blocks.map(({ perSecond, cpuUs }) => (perSecond * cpuUs) / 1e6));
  const known = blocks.flatMap(({ core }) => (core === undefined ? [] : [core.others + core.stolen]));
  // On a machine without pinned cores the use by others is unknown: the table says "not pinned".
  const others = known.length === 0 ? 0 : median(known);
  const apart = quantile(costs, 0.75) / quantile(costs, 0.25);
  const two = (value: number): string => value.toFixed(2);
  return [
    // Written so that a missing figure counts against the floor: NaN is neither above nor below.
    ...(busy >= least.busy ? [] : [`${name} kept its core busy for ${two(busy)} of the time, ${least.busy} at least`]),
    ...(others <= othersMax ? [] : [`others took ${two(others)} of the core beside ${name}, ${othersMax} at most`]),
    ...(apart <= costSpreadMax
      ? []
      : [`a request of ${name} cost ${two(apart)} times as much in a dear block as in a cheap one (quartiles), ${costSpreadMax} at most`]),
  ];
}
