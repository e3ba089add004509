import { isProblem } from '@cloakroom/contracts';
import { type BrowserToken, type Exchange, type Outcome, outgoing } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { homeOf, isAbroad } from '../identity/home-region.ts';
import { leave } from '../identity/identify-caller.ts';
import { authProblem } from './auth-problem.ts';

/**
 * Ends the session; idempotent. While auth cannot be reached the cookie stays: a browser that forgot it would leave a live session behind.
 */
export async function logout(exchange: Exchange, gateway: Pick<Gateway, 'auth' | 'identity'>): Promise<Outcome> {
  if (exchange.token !== undefined) {
    const done = await endAtHome(exchange, exchange.token, gateway);
    if (isProblem(done)) return authProblem(done);
    // The browser may have shown cookies of both kinds, so both sessions end.
    const beside = exchange.token.selfContained?.beside;
    const alsoDone = beside === undefined ? undefined : await endAtHome(exchange, beside, gateway);
    if (isProblem(alsoDone)) return authProblem(alsoDone);
    leave(gateway.identity, exchange.token, done.own);
  }
  return { status: 204, loggedOut: true };
}

/** Nothing is to be ended for a token of a region that nobody here knows. */
async function endAtHome(exchange: Exchange, token: BrowserToken, gateway: Pick<Gateway, 'auth' | 'identity'>) {
  const home = homeOf(gateway.identity, token);
  if (home === undefined) return { own: false };
  return (isAbroad(home) ? home.auth : gateway.auth).logout(outgoing(exchange), { token: token.text });
}
