import { isProblem, type Problem, type SessionIssued } from '@cloakroom/contracts';
import type { z } from 'zod';
import { rotatedAnswer } from './rotated-answer.ts';
import { secondFactorProblem } from './second-factor-problem.ts';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { authProblem } from './auth-problem.ts';
import type { reauthenticateBody } from './sign-in-input.ts';
import { accountOf, authOf } from '../identity/home-region.ts';

type Needed = Pick<Gateway, 'account' | 'auth' | 'identity'>;

type Body = z.output<typeof reauthenticateBody>;

/**
 * Step-up: the person proves who they are again, and a new token replaces the old (ASVS 7.2.4). If a needed code is missing, nothing is
 * remembered: the page repeats the step-up with the code.
 */
export async function reauthenticate(exchange: Exchange, { body }: { readonly body: Body }, gateway: Needed): Promise<Outcome> {
  const issued = await prove(exchange, body, gateway);
  if (isProblem(issued)) return authProblem(issued);
  if (issued.secondFactor !== undefined) return secondFactorProblem(issued.secondFactor);
  return rotatedAnswer(exchange, issued, gateway);
}

function prove(exchange: Exchange, body: Body, gateway: Needed): Promise<SessionIssued | Problem> {
  const call = outgoing(exchange, personOf(exchange).passport);
  const same = { token: exchange.token!.text, remoteAddress: exchange.remoteAddress };
  if (body.password === undefined) {
    const passkey = { challenge: body.challenge ?? '', response: JSON.stringify(body.response) };
    return accountOf(exchange, gateway).reauthenticateWithPasskey(call, { ...passkey, ...same });
  }
  return authOf(exchange, gateway).reauthenticate(call, {
    password: body.password,
    code: body.code ?? '',
    recoveryCode: body.recoveryCode ?? '',
    ...same,
  });
}
