/**
 * Replaces the caller's own token under the same handle and ends the old one. This follows a proof, or a change that a proof allowed (ASVS 5.0
 * 7.2.4). The store rotates first and decides: one of two concurrent rotations wins, and an ended session stays ended. Then one transaction records
 * and announces the old hash, together with the change. Only then does the caller get the new token.
 *
 * A crash in between leaves a person without a token, so that they sign in again. The other order would sign them out whenever the store is away.
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

/** The input of issueTokens (issue-tokens.ts). */
export interface Rotated {
  readonly token: string;
  readonly session: SessionRecord;
  readonly atMs: number;
}

/**
 * The passport says who asks. The token must belong to the same session, or a passport could be traded for another person's token. Every service
 * sees access tokens, so an access token renews nothing.
 */
export async function ownSession(auth: Auth, { identity }: PersonContext, token: string): Promise<SessionRecord | Problem> {
  const session = await liveSession(auth, token, auth.clock.nowMs());
  if (session === undefined || session.handle !== identity.handle || session.subject !== identity.subject) return problem('session_ended');
  return isSelfContained(session.mode) && parseRefreshToken(token, auth.refreshKeys) === undefined ? problem('session_ended') : session;
}

/**
 * @param proof 'earlier' for a change that a proof of a few minutes ago allowed: the change does not extend the step-up
 * @param also more changes for the transaction that records the rotation
 */
export async function rotateOwn(
  auth: Auth,
  ctx: PersonContext,
  session: SessionRecord,
  proof: 'now' | 'earlier',
  also?: (trx: Transaction<AuthSchema>) => Promise<void>,
): Promise<Rotated | Problem> {
  if (isSelfContained(session.mode)) return rotateSelfContained(auth, ctx, session, proof, also);
  const { token, key } = makeToken({ region: auth.region, tag: session.tag, secret: auth.random(secretBytes) }, auth.macKeys);
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
