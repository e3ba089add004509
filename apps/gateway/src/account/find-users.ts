import { isProblem, problem } from '@cloakroom/contracts';
import type { z } from 'zod';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { authProblem } from '../session/auth-problem.ts';
import type { usersSchema } from './account-answer.ts';
import type { usersQuery } from './account-input.ts';
import { accountOf } from '../identity/home-region.ts';

export async function findUsers(
  exchange: Exchange,
  { query }: { readonly query: z.output<typeof usersQuery> },
  gateway: Pick<Gateway, 'account'>,
): Promise<Outcome> {
  const { view, passport } = personOf(exchange);
  if (view.role !== 'admin') return problem('forbidden');
  const found = await accountOf(exchange, gateway).findUsers(outgoing(exchange, passport), { query: query.query ?? '' });
  if (isProblem(found)) return authProblem(found);
  const body: z.output<typeof usersSchema> = {
    items: found.users.map(({ userId, name, email, role, disabled, sessions }) => ({
      userId,
      name,
      email,
      role: role === 'admin' ? 'admin' : 'customer',
      disabled,
      sessions,
    })),
  };
  return { status: 200, body };
}
