import { isProblem } from '@cloakroom/contracts';
import type { z } from 'zod';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { authProblem } from '../session/auth-problem.ts';
import type { emailBody } from './account-input.ts';
import { rotatedAnswer } from '../session/rotated-answer.ts';
import { accountOf } from '../identity/home-region.ts';

/** Changes the address at auth. The profile follows by an event, a moment later. */
export async function changeEmail(
  exchange: Exchange,
  { body }: { readonly body: z.output<typeof emailBody> },
  gateway: Pick<Gateway, 'account' | 'identity'>,
): Promise<Outcome> {
  const request = { email: body.email, token: exchange.token!.text, remoteAddress: exchange.remoteAddress };
  const issued = await accountOf(exchange, gateway).changeEmail(outgoing(exchange, personOf(exchange).passport), request);
  return isProblem(issued) ? authProblem(issued) : rotatedAnswer(exchange, issued, gateway);
}
