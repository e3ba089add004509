import type { Exchange, Outcome } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { asAdministrator } from './administrator.ts';

export const enableUser = (
  exchange: Exchange,
  { params }: { readonly params: { readonly userId: string } },
  gateway: Pick<Gateway, 'account'>,
): Promise<Outcome> => asAdministrator(exchange, (call) => gateway.account.enableUser(call, { userId: params.userId }));
