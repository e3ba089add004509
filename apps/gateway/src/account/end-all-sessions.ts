import { isProblem } from '@cloakroom/contracts';
import type { Exchange, Outcome } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { accountOf, homeOf } from '../identity/home-region.ts';
import { asAdministrator } from './administrator.ts';

/** Ends all sessions, and so the administrator's own, by the administrator's own will: the answer clears the cookies. */
export async function revokeEverything(exchange: Exchange, gateway: Pick<Gateway, 'account' | 'identity'>): Promise<Outcome> {
  const done = await asAdministrator(exchange, (call) => accountOf(exchange, gateway).revokeEverything(call, {}));
  if (isProblem(done)) return done;
  homeOf(gateway.identity, exchange.token)?.identities.forgetToken(exchange.token!.hash);
  return { ...done, loggedOut: true };
}
