import { isProblem } from '@cloakroom/contracts';
import type { z } from 'zod';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { authProblem } from '../session/auth-problem.ts';
import type { emailBody } from './account-input.ts';
import { rotatedAnswer } from '../session/rotated-answer.ts';

/** Changes the address at auth. The profile follows by an event, a moment later. */
export async function changeEmail(
  x: Exchange,
  { body }: { readonly body: z.output<typeof emailBody> },
  gateway: Gateway,
): Promise<Outcome> {
  const request = { email: body.email, token: x.token!.text, remoteAddress: x.remoteAddress };
  const issued = await gateway.account.changeEmail(outgoing(x, personOf(x).passport), request);
  return isProblem(issued) ? authProblem(issued) : rotatedAnswer(x, issued, gateway);
}
