import { isProblem } from '@cloakroom/contracts';
import type { z } from 'zod';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { authProblem } from '../session/auth-problem.ts';
import { isoOf } from '../session/session-answer.ts';
import type { noticesSchema } from './account-answer.ts';
import { accountOf } from '../identity/home-region.ts';

export async function listNotices(exchange: Exchange, gateway: Pick<Gateway, 'account'>): Promise<Outcome> {
  const listed = await accountOf(exchange, gateway).listNotices(outgoing(exchange, personOf(exchange).passport), {});
  if (isProblem(listed)) return authProblem(listed);
  const items = listed.notices.map(({ atMs, kind, text }) => ({ at: isoOf(atMs), kind, text }));
  return { status: 200, body: { items } satisfies z.output<typeof noticesSchema> };
}
