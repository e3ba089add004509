import { isProblem } from '@cloakroom/contracts';
import type { z } from 'zod';
import { browserOf, type Exchange, type Outcome, outgoing } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { replaceSession } from '../identity/replaced-session.ts';
import { authProblem } from './auth-problem.ts';
import { askedMode, signedInAnswer } from './session-answer.ts';
import type { registerBody } from './sign-in-input.ts';

export async function register(
  exchange: Exchange,
  { body }: { readonly body: z.output<typeof registerBody> },
  gateway: Pick<Gateway, 'auth' | 'identity'>,
): Promise<Outcome> {
  const issued = await gateway.auth.register(outgoing(exchange), {
    email: body.email,
    password: body.password,
    name: body.name,
    mode: askedMode(body.mode),
    ...browserOf(exchange),
  });
  if (isProblem(issued)) return authProblem(issued);
  const cartWaitsFor = await replaceSession(exchange, gateway, issued);
  return signedInAnswer(201, issued, cartWaitsFor);
}
