import { isProblem } from '@cloakroom/contracts';
import type { z } from 'zod';
import { browserOf, type Exchange, type Outcome, outgoing } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { authProblem } from '../session/auth-problem.ts';
import { askedMode, signedInAnswer } from '../session/session-answer.ts';
import { replaceSession } from '../identity/replaced-session.ts';
import type { passkeyLoginBody } from './account-input.ts';

export async function loginWithPasskey(
  exchange: Exchange,
  { body }: { readonly body: z.output<typeof passkeyLoginBody> },
  gateway: Pick<Gateway, 'account' | 'identity'>,
): Promise<Outcome> {
  const issued = await gateway.account.loginWithPasskey(outgoing(exchange), {
    challenge: body.challenge,
    response: JSON.stringify(body.response),
    mode: askedMode(body.mode),
    ...browserOf(exchange),
  });
  if (isProblem(issued)) return authProblem(issued);
  const cartWaitsFor = await replaceSession(exchange, gateway, issued);
  return signedInAnswer(200, issued, cartWaitsFor);
}
