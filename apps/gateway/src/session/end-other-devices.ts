import { isProblem } from '@cloakroom/contracts';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { authProblem } from './auth-problem.ts';
import { authOf } from '../identity/home-region.ts';

export async function endOtherDevices(exchange: Exchange, gateway: Pick<Gateway, 'auth'>): Promise<Outcome> {
  const ended = await authOf(exchange, gateway).endOtherDevices(outgoing(exchange, personOf(exchange).passport), {});
  return isProblem(ended) ? authProblem(ended) : { status: 204 };
}
