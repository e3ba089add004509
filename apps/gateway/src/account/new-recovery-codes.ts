import { isProblem } from '@cloakroom/contracts';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { authProblem } from '../session/auth-problem.ts';
import { accountOf } from '../identity/home-region.ts';

/** Makes new recovery codes, and voids the old ones. */
export async function newRecoveryCodes(exchange: Exchange, gateway: Pick<Gateway, 'account'>): Promise<Outcome> {
  const made = await accountOf(exchange, gateway).newRecoveryCodes(outgoing(exchange, personOf(exchange).passport), {});
  if (isProblem(made)) return authProblem(made);
  return { status: 200, body: { recoveryCodes: made.codes, otherSessions: made.otherSessions } };
}
