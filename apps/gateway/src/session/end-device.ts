import { isProblem } from '@cloakroom/contracts';
import { z } from 'zod';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { authProblem } from './auth-problem.ts';
import { authOf } from '../identity/home-region.ts';

export const deviceParams = z.object({ handle: z.string().min(1).max(64) });

/** Ends one of the person's own sessions. auth asks for a recent proof of the password. Other gateways hear of it from the feed. */
export async function endDevice(
  exchange: Exchange,
  { params }: { readonly params: z.output<typeof deviceParams> },
  gateway: Pick<Gateway, 'auth'>,
): Promise<Outcome> {
  const ended = await authOf(exchange, gateway).endDevice(outgoing(exchange, personOf(exchange).passport), { handle: params.handle });
  return isProblem(ended) ? authProblem(ended) : { status: 204 };
}
