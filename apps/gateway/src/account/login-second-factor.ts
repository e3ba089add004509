import { isProblem } from '@cloakroom/contracts';
import type { z } from 'zod';
import { browserOf, type Exchange, type Outcome, outgoing } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { authProblem } from '../session/auth-problem.ts';
import { signedInAnswer } from '../session/session-answer.ts';
import { replaceSession } from '../identity/replaced-session.ts';
import type { secondFactorBody } from './account-input.ts';

type Body = z.output<typeof secondFactorBody>;

/** The second half of a sign-in. auth remembers the mode that the first half asked for. */
export async function loginSecondFactor(
  exchange: Exchange,
  { body }: { readonly body: Body },
  gateway: Pick<Gateway, 'account' | 'identity'>,
): Promise<Outcome> {
  const issued = await gateway.account.loginSecondFactor(outgoing(exchange), {
    challenge: body.challenge,
    proof: proofOf(body),
    ...browserOf(exchange),
  });
  if (isProblem(issued)) return authProblem(issued);
  const cartWaitsFor = await replaceSession(exchange, gateway, issued);
  return signedInAnswer(200, issued, cartWaitsFor);
}

function proofOf({ code, recoveryCode, response }: Body) {
  if (code !== undefined) return { case: 'code', value: code } as const;
  if (recoveryCode !== undefined) return { case: 'recoveryCode', value: recoveryCode } as const;
  return { case: 'response', value: JSON.stringify(response) } as const;
}
