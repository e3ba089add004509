import { Controller, Inject } from '@nestjs/common';
import { type ExchangeTokenRequest, TokenExchangeService } from '@cloakroom/contracts';
import { type RequestContext, Rpc, type Rpcs } from '@cloakroom/mesh';
import type { Auth } from '../auth.ts';
import { authToken } from '../injection.ts';
import { orUnavailable } from '../or-unavailable.ts';
import { exchangeToken } from './exchange-token.ts';

/** For the other services: it trades a passport for one that a further service takes. */
@Controller()
export class TokenExchangeController implements Rpcs<typeof TokenExchangeService> {
  constructor(@Inject(authToken) private readonly auth: Auth) {}

  @Rpc(TokenExchangeService.method.exchangeToken)
  exchangeToken(ctx: RequestContext, request: ExchangeTokenRequest) {
    return orUnavailable(this.auth, ctx, () => exchangeToken(this.auth, ctx, request));
  }
}
