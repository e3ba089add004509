import { isProblem } from '@cloakroom/contracts';
import { type Exchange, type Outcome, outgoing } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { leave } from '../identity/identify-caller.ts';
import { authProblem } from './auth-problem.ts';

/**
 * Ends the session; idempotent. While auth cannot be reached the cookie stays: a browser that forgot it would leave a live session behind.
 */
export async function logout(exchange: Exchange, gateway: Pick<Gateway, 'auth' | 'identity'>): Promise<Outcome> {
  if (exchange.token !== undefined) {
    const done = await gateway.auth.logout(outgoing(exchange), { token: exchange.token.text });
    if (isProblem(done)) return authProblem(done);
    // The browser may have shown cookies of both kinds, so both sessions end.
    const beside = exchange.token.selfContained?.beside;
    const alsoDone = beside === undefined ? undefined : await gateway.auth.logout(outgoing(exchange), { token: beside.text });
    if (isProblem(alsoDone)) return authProblem(alsoDone);
    leave(gateway.identity, exchange.token, done.own);
  }
  return { status: 204, loggedOut: true };
}
