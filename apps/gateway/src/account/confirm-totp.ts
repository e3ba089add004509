import { isProblem } from '@cloakroom/contracts';
import type { z } from 'zod';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { authProblem } from '../session/auth-problem.ts';
import type { totpBody } from './account-input.ts';
import { accountOf } from '../identity/home-region.ts';

export async function confirmTotp(
  exchange: Exchange,
  { body }: { readonly body: z.output<typeof totpBody> },
  gateway: Pick<Gateway, 'account'>,
): Promise<Outcome> {
  const confirmed = await accountOf(exchange, gateway).confirmTotp(outgoing(exchange, personOf(exchange).passport), { code: body.code });
  if (isProblem(confirmed)) return authProblem(confirmed);
  return { status: 200, body: { recoveryCodes: confirmed.codes, otherSessions: confirmed.otherSessions } };
}
