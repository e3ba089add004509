/**
 * The last profile of each person of another region, as home answered it. A page shows the copy, with its age, while home is out of reach.
 * Nothing is written to a copy, and home never learns of it.
 */
import type { Profile } from '@cloakroom/contracts';
import type { Clock } from '@cloakroom/platform';
import { LRUCache } from 'lru-cache';

/** About 2 kB each, 30 kB with all 20 addresses and 50 preferences. */
const copyCountMax = 1_000;
/** No identity serves for longer without its home: an access token in the mode jwt. */
const copyAgeMaxMs = 5 * 60_000;

interface Copy {
  readonly profile: Profile;
  readonly atMs: number;
}

export class ProfileCopies {
  private readonly clock: Clock;
  private readonly copies = new LRUCache<string, Copy>({ max: copyCountMax });

  constructor(clock: Clock) {
    this.clock = clock;
  }

  nowMs(): number {
    return this.clock.monotonicMs();
  }

  /**
   * A read that was asked before a write was answered may lack that write, and arrive after it. So the later time wins, and not the later arrival.
   * @param atMs a read was asked at this time; a write was answered
   */
  keep(subject: string, profile: Profile, atMs: number): void {
    const known = this.copies.get(subject);
    if (known === undefined || known.atMs <= atMs) this.copies.set(subject, { profile, atMs });
  }

  find(subject: string): { readonly profile: Profile; readonly ageMs: number } | undefined {
    const copy = this.copies.get(subject);
    if (copy === undefined) return undefined;
    const ageMs = this.nowMs() - copy.atMs;
    return ageMs > copyAgeMaxMs ? undefined : { profile: copy.profile, ageMs };
  }
}
