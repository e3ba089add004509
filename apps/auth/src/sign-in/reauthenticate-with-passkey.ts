import { isProblem, problem, type Problem, type ReauthenticateWithPasskeyRequest } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/mesh';
import type { Auth } from '../auth.ts';
import { provePasskey, takePasskeyAnswer } from '../factors/prove-passkey.ts';
import { finishStepUp } from './finish-step-up.ts';
import type { Issued } from '../tokens/issue-tokens.ts';
import { ownSession } from '../tokens/rotate-own.ts';

/** Step-up by passkey. The passkey must belong to the session's own person; another person's valid passkey counts as wrong. */
export async function reauthenticateWithPasskey(
  auth: Auth,
  ctx: PersonContext,
  request: ReauthenticateWithPasskeyRequest,
): Promise<Issued | Problem> {
  const session = await ownSession(auth, ctx, request.token);
  if (isProblem(session)) return session;
  const known = { by: 'session', name: session.handle } as const;
  const { challenge, response, remoteAddress: address } = request;
  const answer = await takePasskeyAnswer(auth, { challenge, response, address }, () => Promise.resolve(known));
  if (isProblem(answer)) return answer;
  const proven = await provePasskey(auth, answer);
  if (isProblem(proven)) return proven;
  if (proven.account.id !== session.subject) return problem('invalid_second_factor');
  return finishStepUp(auth, ctx, session, proven.account);
}
