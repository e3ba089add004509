import { isProblem } from '@cloakroom/contracts';
import { type Exchange, type Outcome, outgoing } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { authProblem } from '../session/auth-problem.ts';
import { accountOf } from '../identity/home-region.ts';
import { passkeyOptionsBody } from './account-answer.ts';

/**
 * The answer is the same for everybody: it names no account and no passkey. For a step-up the challenge is made where the account lives, for a sign-in
 * here, since nobody knows yet who it will be.
 */
export async function passkeyRequestOptions(exchange: Exchange, gateway: Pick<Gateway, 'account'>): Promise<Outcome> {
  const given = await accountOf(exchange, gateway).passkeyRequestOptions(outgoing(exchange), { remoteAddress: exchange.remoteAddress });
  return isProblem(given) ? authProblem(given) : { status: 200, body: passkeyOptionsBody(given) };
}
