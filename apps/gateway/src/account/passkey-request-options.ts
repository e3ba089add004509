import { isProblem } from '@cloakroom/contracts';
import { type Exchange, type Outcome, outgoing } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { authProblem } from '../session/auth-problem.ts';
import { passkeyOptionsBody } from './account-answer.ts';

/** The answer is the same for everybody: it names no account and no passkey. */
export async function passkeyRequestOptions(exchange: Exchange, gateway: Pick<Gateway, 'account'>): Promise<Outcome> {
  const given = await gateway.account.passkeyRequestOptions(outgoing(exchange), { remoteAddress: exchange.remoteAddress });
  return isProblem(given) ? authProblem(given) : { status: 200, body: passkeyOptionsBody(given) };
}
