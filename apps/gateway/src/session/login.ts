import { isProblem } from '@cloakroom/contracts';
import type { z } from 'zod';
import { secondFactorProblem } from './second-factor-problem.ts';
import { browserOf, type Exchange, type Outcome, outgoing } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { replaceSession } from '../identity/replaced-session.ts';
import { authProblem } from './auth-problem.ts';
import { askedMode, signedInAnswer } from './session-answer.ts';
import type { loginBody } from './sign-in-input.ts';

/** A repeated login changes nothing but the token: auth claims a guest's cart once, ever. */
export async function login(
  exchange: Exchange,
  { body }: { readonly body: z.output<typeof loginBody> },
  gateway: Pick<Gateway, 'auth' | 'identity'>,
): Promise<Outcome> {
  const issued = await gateway.auth.login(outgoing(exchange), {
    email: body.email,
    password: body.password,
    mode: askedMode(body.mode),
    ...browserOf(exchange),
  });
  if (isProblem(issued)) return authProblem(issued);
  if (issued.secondFactor !== undefined) return secondFactorProblem(issued.secondFactor);
  const cartWaitsFor = await replaceSession(exchange, gateway, issued);
  return signedInAnswer(200, issued, cartWaitsFor);
}
