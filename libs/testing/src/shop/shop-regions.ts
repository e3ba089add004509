/** Shopping where each gateway is a region of its own (`npm start -- --profile regions`). */
import { deciderOf } from '@cloakroom/contracts';

/**
 * A MirrorMaker that was killed copies again some 7 s after its start on a quiet machine, and each command shows on the other side only then. Sessions
 * have the bounds of one region: the lease is asked of home.
 */
export const acrossRegions = {
  regions: { names: ['eu', 'us'] },
  bounds: { visibleWithinMs: 30_000, gatewaysAreRegions: true },
  settleMs: 60_000,
} as const;

/** Where there are regions, the region of the gateway decides the address, so that a sign-up needs no ocean. */
export function emailOf(name: string, regions: readonly string[] | undefined, at: number): string {
  for (let draw = 0; ; draw++) {
    const email = `${name}${draw === 0 ? '' : `-${draw}`}@example.com`;
    if (regions === undefined || deciderOf(email, regions) === regions[at % regions.length]) return email;
  }
}
