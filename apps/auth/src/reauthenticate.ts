/**
 * Step-up: the password again, a new token, the old one dead (ASVS 5.0 7.2.4). The store rotates first and decides: of two at once one wins,
 * and a session that was ended meanwhile stays ended. Then the old hash is recorded and announced, and only then the new token is given out.
 * A crash in between leaves a person without a token, who signs in again; the other order would sign him out whenever the store is away.
 */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { isProblem, problem, type Problem, type ReauthenticateRequest, type SessionIssuedSchema } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/platform';
import { makeToken, secretBytes } from '@cloakroom/session';
import { accountById } from './accounts.ts';
import type { Auth } from './auth.ts';
import { liveSession } from './live-session.ts';
import { provePassword } from './prove-password.ts';
import { recordRevocation } from './revocations.ts';
import { viewOf } from './session-view.ts';

export async function reauthenticate(
  auth: Auth,
  ctx: PersonContext,
  request: ReauthenticateRequest,
): Promise<MessageInitShape<typeof SessionIssuedSchema> | Problem> {
  const session = await liveSession(auth, request.token, auth.clock.nowMs());
  // The passport says who asks; the token must be of that same session, or a passport could be traded for another's token.
  if (session === undefined || session.handle !== ctx.identity.handle || session.subject !== ctx.identity.subject)
    return problem('session_ended');
  const account = await accountById(auth.database, session.subject);
  if (account === undefined) return problem('session_ended');
  if (request.password.length > 256) return problem('invalid_credentials');
  const who = { email: account.email, account, address: request.remoteAddress, known: session.handle };
  const proven = await provePassword(auth, who, request.password);
  if (isProblem(proven)) return proven;

  const { token, key } = makeToken({ region: session.region, tag: session.tag, secret: auth.random(secretBytes) }, auth.macKeys);
  const nowMs = auth.clock.nowMs();
  const rotated = await auth.store.rotate({ tag: session.tag, hash: session.hash }, key.hash, nowMs, nowMs);
  if (rotated === undefined) return problem('session_ended');
  await auth.outbox.commit((trx) => recordRevocation(trx, ctx, session, 'token', nowMs));
  return { token, session: viewOf(rotated, account) };
}
