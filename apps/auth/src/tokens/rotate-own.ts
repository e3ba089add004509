/**
 * A new token in place of the caller's own, the old one dead, under the same handle: after a proof, or a change that a proof allowed (ASVS 5.0
 * 7.2.4). The store rotates first and decides: of two at once one wins, and a session that was ended meanwhile stays ended. Then the old hash is
 * recorded and announced, together with what the rotation is for, and only then the new token is given out. A crash in between leaves a
 * person without a token, who signs in again; the other order would sign him out whenever the store is away.
 */
import { isSelfContained, problem, type Problem } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/mesh';
import { makeToken, parseRefreshToken, secretBytes, type SessionRecord } from '@cloakroom/session';
import type { Transaction } from 'kysely';
import type { Auth } from '../auth.ts';
import { liveSession } from '../sessions/live-session.ts';
import type { AuthSchema } from '../database/migrations.ts';
import { recordRevocation } from '../revocation/revocations.ts';
import { rotateSelfContained } from './rotate-self-contained.ts';

/** What issueTokens (issue-tokens.ts) makes the answer of. */
export interface Rotated {
  readonly token: string;
  readonly session: SessionRecord;
  readonly atMs: number;
}

/**
 * The passport says who asks; the token must be of that same session, or a passport could be traded for another's token. An access token is
 * shown to every service, so it renews nothing.
 */
export async function ownSession(auth: Auth, { identity }: PersonContext, token: string): Promise<SessionRecord | Problem> {
  const session = await liveSession(auth, token, auth.clock.nowMs());
  if (session === undefined || session.handle !== identity.handle || session.subject !== identity.subject) return problem('session_ended');
  return isSelfContained(session.mode) && parseRefreshToken(token, auth.refreshKeys) === undefined ? problem('session_ended') : session;
}

/**
 * @param proof 'earlier' for a change: it was allowed by a proof of a few minutes ago, and step-up must not last longer for it
 * @param also what else belongs into the transaction that records it
 */
export async function rotateOwn(
  auth: Auth,
  ctx: PersonContext,
  session: SessionRecord,
  proof: 'now' | 'earlier',
  also?: (trx: Transaction<AuthSchema>) => Promise<void>,
): Promise<Rotated | Problem> {
  if (isSelfContained(session.mode)) return rotateSelfContained(auth, ctx, session, proof, also);
  const { token, key } = makeToken({ region: session.region, tag: session.tag, secret: auth.random(secretBytes) }, auth.macKeys);
  const atMs = auth.clock.nowMs();
  const authenticatedAtMs = proof === 'now' ? atMs : session.authenticatedAtMs;
  const rotated = await auth.store.rotate({ tag: session.tag, hash: session.hash }, key.hash, authenticatedAtMs, atMs);
  if (rotated === undefined) return problem('session_ended');
  await auth.outbox.commit(async (trx) => {
    await recordRevocation(trx, ctx, session, 'token', atMs);
    await also?.(trx);
  });
  return { token, session: rotated, atMs };
}
