import { isProblem } from '@cloakroom/contracts';
import { type Exchange, type Outcome, outgoing } from '../exchange.ts';
import type { Gateway } from '../gateway.ts';
import { leave } from '../who.ts';
import { authProblem } from './auth-problem.ts';

/** Idempotent. While auth cannot be reached the cookie stays: a browser that forgot it would leave a live session behind. */
export async function logout(x: Exchange, _input: unknown, gateway: Gateway): Promise<Outcome> {
  if (x.token !== undefined) {
    // Of both kinds, if the browser showed two.
    for (const token of [x.token.text, x.token.carried?.beside?.text]) {
      const done = token === undefined ? {} : await gateway.auth.logout(outgoing(x), { token });
      if (isProblem(done)) return authProblem(done);
    }
    leave(gateway, x.token);
  }
  return { status: 204, loggedOut: true };
}
