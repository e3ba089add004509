/**
 * Several regions: each has an auth of its own, and that auth signs for no other region. So a process keeps keys, revocations, epochs and the lease for
 * each region apart, and judges a credential by the region that it names.
 *
 * Failures, and the defence against each:
 * - One region's key signs for another. A verifier holds the keys of one region, and refuses claims that name another (passport.ts, access-token.ts).
 * - A record of one log is written into the copy of another. The keys of that log's region do not verify it (late-feed.ts).
 * - The copy stands still while its broker answers. The lease counts by the clock of the other region's relay, which is asked across the ocean.
 *   While it cannot be asked its last answer stands, and without new heartbeats the lease ends (beat-clock.ts).
 * - The copy repeats a block after a crash of the mirror. Revocations apply twice without harm, and an old heartbeat renews nothing.
 * - A cut. The keys that were fetched stay; nothing is trusted longer than the lease and then the passport's own end.
 */
import { type AuthService, problem, type Problem } from '@cloakroom/contracts';
import type { EventLog } from '@cloakroom/event-log';
import { type MeshClient, refusedBy, type VerifiedIdentity } from '@cloakroom/mesh';
import type { Clock, Logger } from '@cloakroom/platform';
import { jwksFrom } from './auth-keys.ts';
import { askRelayThrough } from './beat-clock.ts';
import type { RevocationFeed } from './identity.ts';
import { openKeyRing, type OpenKeyRing } from './keys.ts';
import { openLateFeed } from './late-feed.ts';
import { refusedPassports } from './passport.metrics.ts';
import type { PassportVerifier } from './passport.ts';

/** By the name of the region. */
export type ByRegion<One> = ReadonlyMap<string, One>;

/** A process judges sessions that live in another region by these. */
export interface RegionTrust {
  readonly keys: OpenKeyRing;
  readonly feed: RevocationFeed;
  stop(): Promise<void>;
}

/**
 * Opens in the background: the other region may be out of reach at the start.
 * @param options.auth of the other region
 * @param options.group fresh at each start
 */
export function openRegionTrust(options: {
  readonly region: string;
  readonly auth: MeshClient<typeof AuthService>;
  readonly eventLog: EventLog;
  readonly clock: Clock;
  readonly log: Logger;
  readonly group: string;
}): RegionTrust {
  const { region, auth, eventLog, clock, group } = options;
  const log = options.log.child({ home_region: region });
  const keys = openRegionKeys({ region, auth, clock, log: options.log });
  const feed = openLateFeed({ eventLog, keys, askRelay: askRelayThrough(auth), clock, log, group, origin: region });
  return {
    keys,
    feed,
    async stop() {
      keys.stop();
      await feed.stop();
    },
  };
}

/** The keys alone, for a service whose answers no revocation could change. */
export const openRegionKeys = ({
  region,
  auth,
  clock,
  log,
}: Omit<Parameters<typeof openRegionTrust>[0], 'eventLog' | 'group'>): OpenKeyRing =>
  openKeyRing({ log: log.child({ home_region: region }), clock, fetchJwks: jwksFrom(auth) });

/** One verifier for credentials of all regions. @param verifiers each made with its own region's keys, and with its `region` */
export function createVerifierOfRegions(audience: string, verifiers: ByRegion<PassportVerifier>): PassportVerifier {
  const judge = (
    token: string,
    verify: (verifier: PassportVerifier) => Promise<VerifiedIdentity | Problem>,
  ): Promise<VerifiedIdentity | Problem> => {
    const verifier = verifiers.get(claimedRegion(token) ?? '');
    if (verifier !== undefined) return verify(verifier);
    refusedPassports.inc({ audience, reason: 'unknown_region' });
    return Promise.resolve(refusedBy('unknown_region', problem('invalid_passport')));
  };
  return {
    verify: (passport) => judge(passport, (verifier) => verifier.verify(passport)),
    verifyAccessToken: (token) => judge(token, (verifier) => verifier.verifyAccessToken(token)),
    standing(identity) {
      const verifier = verifiers.get(identity.region);
      return verifier === undefined ? problem('invalid_passport') : verifier.standing(identity);
    },
    onRevocation(listener) {
      const stops = [...verifiers.values()].map((verifier) => verifier.onRevocation(listener));
      return () => stops.forEach((stop) => stop());
    },
  };
}

/** Reads the region of a signed token without verifying, only to choose who verifies. That verifier then checks everything, the region too. */
export function claimedRegion(token: string): string | undefined {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { region?: unknown } | null;
    return typeof claims?.region === 'string' ? claims.region : undefined;
  } catch {
    return undefined;
  }
}
