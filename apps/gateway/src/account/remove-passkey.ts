import { isProblem } from '@cloakroom/contracts';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { authProblem } from '../session/auth-problem.ts';
import { accountOf } from '../identity/home-region.ts';

export async function removePasskey(
  exchange: Exchange,
  { params }: { readonly params: { readonly passkeyId: string } },
  gateway: Pick<Gateway, 'account'>,
): Promise<Outcome> {
  const removed = await accountOf(exchange, gateway).removePasskey(outgoing(exchange, personOf(exchange).passport), {
    passkeyId: params.passkeyId,
  });
  return isProblem(removed) ? authProblem(removed) : { status: 200, body: { otherSessions: removed.otherSessions } };
}
