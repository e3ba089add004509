import { isProblem } from '@cloakroom/contracts';
import type { z } from 'zod';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { authProblem } from '../session/auth-problem.ts';
import type { passwordBody } from './account-input.ts';
import { rotatedAnswer } from '../session/rotated-answer.ts';
import { accountOf } from '../identity/home-region.ts';

export async function changePassword(
  exchange: Exchange,
  { body }: { readonly body: z.output<typeof passwordBody> },
  gateway: Pick<Gateway, 'account' | 'identity'>,
): Promise<Outcome> {
  const request = { password: body.password, endOthers: body.endOthers ?? false, token: exchange.token!.text };
  const issued = await accountOf(exchange, gateway).changePassword(outgoing(exchange, personOf(exchange).passport), request);
  return isProblem(issued) ? authProblem(issued) : rotatedAnswer(exchange, issued, gateway);
}
