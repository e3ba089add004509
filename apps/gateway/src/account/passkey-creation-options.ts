import { isProblem } from '@cloakroom/contracts';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { authProblem } from '../session/auth-problem.ts';
import { passkeyOptionsBody } from './account-answer.ts';
import { accountOf } from '../identity/home-region.ts';

export async function passkeyCreationOptions(exchange: Exchange, gateway: Pick<Gateway, 'account'>): Promise<Outcome> {
  const given = await accountOf(exchange, gateway).passkeyCreationOptions(outgoing(exchange, personOf(exchange).passport), {});
  return isProblem(given) ? authProblem(given) : { status: 200, body: passkeyOptionsBody(given) };
}
