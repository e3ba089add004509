/**
 * Step-up asks for the password again, with a second factor where there is one, and gives a new token (ASVS 5.0 7.2.4, 7.5.1). The second factor
 * comes in the same request. The session already says who asks, so auth need not remember anything between two requests.
 */
import { isProblem, passwordLengthMax, problem, type Problem, type ReauthenticateRequest } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/mesh';
import { accountById } from '../accounts/accounts.ts';
import type { Auth } from '../auth.ts';
import { provePassword } from './prove-password.ts';
import { finishStepUp } from './finish-step-up.ts';
import type { Issued } from '../tokens/issue-tokens.ts';
import { ownSession } from '../tokens/rotate-own.ts';
import { countedAs } from '../throttle/throttle.ts';
import { hasAny, methodsOf, proveByCode, secondFactorsOf } from '../factors/second-factors.ts';

export async function reauthenticate(auth: Auth, ctx: PersonContext, request: ReauthenticateRequest): Promise<Issued | Problem> {
  const session = await ownSession(auth, ctx, request.token);
  if (isProblem(session)) return session;
  const account = await accountById(auth.database, session.subject);
  if (account === undefined) return problem('session_ended');
  if (request.password.length > passwordLengthMax) return problem('invalid_credentials');
  const from = { address: request.remoteAddress, known: { by: 'session', name: session.handle } } as const;
  const who = { name: countedAs(account.email), account, ...from, waits: true };
  const proven = await provePassword(auth, who, request.password);
  if (isProblem(proven)) return proven;
  const factors = await secondFactorsOf(auth.database, account.id);
  if (hasAny(factors)) {
    if (request.code === '' && request.recoveryCode === '')
      return { secondFactor: { methods: await methodsOf(auth.database, account.id, factors) } };
    const amr = await proveByCode(auth, account.id, request, from);
    if (isProblem(amr)) return amr;
  }
  return finishStepUp(auth, ctx, session, account);
}
