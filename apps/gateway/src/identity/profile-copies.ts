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
  private readonly copies: LRUCache<string, Copy>;

  constructor(clock: Clock) {
    this.clock = clock;
    const perf = { now: () => this.nowMs() };
    this.copies = new LRUCache({ max: copyCountMax, ttl: copyAgeMaxMs, ttlResolution: 0, ttlAutopurge: true, perf });
  }

  get count(): number {
    return this.copies.size;
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
    if (known === undefined || known.atMs <= atMs) this.copies.set(subject, { profile, atMs }, { start: atMs });
  }

  find(subject: string): { readonly profile: Profile; readonly ageMs: number } | undefined {
    const copy = this.copies.get(subject);
    return copy && { profile: copy.profile, ageMs: this.nowMs() - copy.atMs };
  }
}
