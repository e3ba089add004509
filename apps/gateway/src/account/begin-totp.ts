import { isProblem } from '@cloakroom/contracts';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { authProblem } from '../session/auth-problem.ts';
import { accountOf } from '../identity/home-region.ts';

/** Shows the secret, this once. It counts as a factor when a code of it has come back. */
export async function beginTotp(exchange: Exchange, gateway: Pick<Gateway, 'account'>): Promise<Outcome> {
  const begun = await accountOf(exchange, gateway).beginTotp(outgoing(exchange, personOf(exchange).passport), {});
  return isProblem(begun) ? authProblem(begun) : { status: 200, body: { secret: begun.secret, uri: begun.uri } };
}
