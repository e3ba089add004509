import type { Exchange, Outcome } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { asAdministrator } from './administrator.ts';
import { accountOf } from '../identity/home-region.ts';

export const disableUser = (
  exchange: Exchange,
  { params }: { readonly params: { readonly userId: string } },
  gateway: Pick<Gateway, 'account'>,
): Promise<Outcome> => asAdministrator(exchange, (call) => accountOf(exchange, gateway).disableUser(call, { userId: params.userId }));
