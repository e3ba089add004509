/** Shopping where each gateway is a region of its own (`npm start -- --profile regions`). */
import type { WorkloadOptions } from './shop-workload.ts';

/**
 * A MirrorMaker that was killed copies again some 7 s after its start on a quiet machine, and each command shows on the other side only then. Sessions
 * have the bounds of one region: the lease is asked of home.
 */
export const acrossRegions = {
  regions: { cartsCross: true },
  bounds: { visibleWithinMs: 30_000, gatewaysAreRegions: true },
  settleMs: 60_000,
} as const satisfies Partial<WorkloadOptions>;
