import { hash } from 'node:crypto';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { isProblem, problem, type Problem, type ResolveRequest, type ResolveResponseSchema } from '@cloakroom/contracts';
import type { RequestContext } from '@cloakroom/mesh';
import { readRefreshToken } from '@cloakroom/session';
import { accountById } from '../accounts/accounts.ts';
import type { Auth } from '../auth.ts';
import { liveSession } from '../sessions/live-session.ts';
import { audiences, issuePassport } from './passports.ts';
import { viewOf } from '../sessions/session-view.ts';

type Resolved = MessageInitShape<typeof ResolveResponseSchema>;

/** The answer says which token was looked up, and for whom. The gateway compares that with its question. */
export async function resolve(auth: Auth, ctx: RequestContext, request: ResolveRequest): Promise<Resolved | Problem> {
  const { token, audience } = request;
  const found = await lookUp(auth, ctx, request);
  return isProblem(found) ? found : { ...found, tokenSha256: hash('sha256', token, 'buffer'), audience };
}

async function lookUp(auth: Auth, ctx: RequestContext, request: ResolveRequest): Promise<Resolved | Problem> {
  if (request.audience !== '' && !audiences.has(request.audience)) return problem('invalid_request', 'audience: no such service');
  // Taken before the store is asked, so that the passport is never dated later than what it states.
  const iatMs = auth.clock.nowMs();
  // A refresh token can be traded but not introspected: all it states is its number.
  if (readRefreshToken(request.token) !== undefined) return {};
  const session = await liveSession(auth, request.token, iatMs, request.touch);
  if (session === undefined) return {};
  const account = session.state === 'user' ? await accountById(auth.database, session.subject) : undefined;
  // The session's account is missing (a store from another database) or disabled. A disabled account's sessions are also ended elsewhere.
  if (session.state === 'user' && (account === undefined || account.disabled === 1)) return {};
  const answer = { session: viewOf(auth, session, account), epoch: BigInt(session.epoch), globalEpoch: BigInt(session.globalEpoch) };
  if (request.audience === '') return answer;
  const { passport, expiresAtMs } = issuePassport(auth, session, request.audience, iatMs, ctx.trace.traceId);
  return { ...answer, passport, passportExpiresAtMs: BigInt(expiresAtMs) };
}
