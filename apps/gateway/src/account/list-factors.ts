import { isProblem } from '@cloakroom/contracts';
import type { z } from 'zod';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { authProblem } from '../session/auth-problem.ts';
import { type factorsSchema, passkeyBody } from './account-answer.ts';
import { accountOf } from '../identity/home-region.ts';

export async function listFactors(exchange: Exchange, gateway: Pick<Gateway, 'account'>): Promise<Outcome> {
  const listed = await accountOf(exchange, gateway).listFactors(outgoing(exchange, personOf(exchange).passport), {});
  if (isProblem(listed)) return authProblem(listed);
  const body: z.output<typeof factorsSchema> = {
    totp: { active: listed.totpActive },
    recoveryCodesLeft: listed.recoveryCodesLeft,
    passkeys: listed.passkeys.map(passkeyBody),
  };
  return { status: 200, body };
}
