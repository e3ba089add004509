import { isProblem } from '@cloakroom/contracts';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { authProblem } from '../session/auth-problem.ts';
import { accountOf } from '../identity/home-region.ts';

export async function removeTotp(exchange: Exchange, gateway: Pick<Gateway, 'account'>): Promise<Outcome> {
  const removed = await accountOf(exchange, gateway).removeTotp(outgoing(exchange, personOf(exchange).passport), {});
  return isProblem(removed) ? authProblem(removed) : { status: 200, body: { otherSessions: removed.otherSessions } };
}
