import { isProblem } from '@cloakroom/contracts';
import type { z } from 'zod';
import { type Exchange, type Outcome, outgoing, personOf } from '../exchange.ts';
import type { Gateway } from '../gateway.ts';
import { authProblem } from './auth-problem.ts';
import { sessionBody, tokenOf, viewOf } from './session-answer.ts';
import type { reauthenticateBody } from './sign-in-input.ts';

/** Step-up: the password again, and a new token in place of the old (ASVS 7.2.4). */
export async function reauthenticate(
  x: Exchange,
  { body }: { readonly body: z.output<typeof reauthenticateBody> },
  gateway: Gateway,
): Promise<Outcome> {
  const issued = await gateway.auth.reauthenticate(outgoing(x, personOf(x).passport), {
    password: body.password,
    token: x.token!.text,
    remoteAddress: x.remoteAddress,
  });
  if (isProblem(issued)) return authProblem(issued);
  gateway.identities.bury(x.token!.hash);
  return { status: 200, body: sessionBody(viewOf(issued)), newToken: tokenOf(issued) };
}
