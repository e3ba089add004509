import { isProblem } from '@cloakroom/contracts';
import type { z } from 'zod';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { authProblem } from '../session/auth-problem.ts';
import { type addedPasskeySchema, passkeyBody } from './account-answer.ts';
import type { addPasskeyBody } from './account-input.ts';
import { accountOf } from '../identity/home-region.ts';

export async function addPasskey(
  exchange: Exchange,
  { body }: { readonly body: z.output<typeof addPasskeyBody> },
  gateway: Pick<Gateway, 'account'>,
): Promise<Outcome> {
  const request = { challenge: body.challenge, name: body.name, response: JSON.stringify(body.response) };
  const added = await accountOf(exchange, gateway).addPasskey(outgoing(exchange, personOf(exchange).passport), request);
  if (isProblem(added)) return authProblem(added);
  const answer: z.output<typeof addedPasskeySchema> = {
    ...passkeyBody(added.passkey!),
    ...(added.recoveryCodes.length > 0 && { recoveryCodes: added.recoveryCodes }),
    otherSessions: added.otherSessions,
  };
  return { status: 201, body: answer };
}
