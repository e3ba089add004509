/** Passports describe a session inside the mesh, for exactly one service and at most a minute. Auth is the only signer. */
import { passportIssuer, passportLifetimeMaxS, signPassport } from '@cloakroom/identity';
import { type SessionRecord, statedAtMs } from '@cloakroom/session';
import type { Auth } from '../auth.ts';
import { acrOf, amrOf } from './proof.ts';

/** The services that verify passports. Auth issues no passport for any other. */
export const audiences: ReadonlySet<string> = new Set(['auth', 'cart', 'profile', 'catalog', 'orders']);

/** How and when the person proved themselves. */
export function proofOf(session: SessionRecord): { acr: string; amr: string[]; auth_time: number } {
  return { acr: acrOf(session), amr: amrOf(session), auth_time: session.authenticatedAtMs / 1000 };
}

/**
 * @param askedMs taken before the session was read, so a revocation since then is later than the passport and ends it
 * @param transaction the request that the passport is for
 */
export function issuePassport(
  auth: Auth,
  session: SessionRecord,
  audience: string,
  askedMs: number,
  transaction: string,
): { passport: string; expiresAtMs: number } {
  const iatMs = statedAtMs(session, askedMs);
  const expiresAtMs = Math.min(iatMs + passportLifetimeMaxS * 1000, session.idleExpiresAtMs, session.expiresAtMs);
  const passport = signPassport(
    {
      iss: passportIssuer,
      aud: audience,
      sub: session.subject,
      sid: session.handle,
      epoch: session.epoch,
      gepoch: session.globalEpoch,
      state: session.state,
      ...proofOf(session),
      txn: transaction,
      region: auth.region,
      iat: iatMs / 1000,
      exp: expiresAtMs / 1000,
    },
    auth.keys.forPassports(),
  );
  return { passport, expiresAtMs };
}
