import { Controller, Inject } from '@nestjs/common';
import { type LoginAtHomeRequest, type LoginSecondFactorRequest, RegionsService } from '@cloakroom/contracts';
import { type RequestContext, Rpc, type Rpcs } from '@cloakroom/mesh';
import type { Auth } from '../auth.ts';
import { authToken } from '../injection.ts';
import { orUnavailable } from '../or-unavailable.ts';
import { loginAtHome, loginSecondFactorAtHome } from './login-at-home.ts';

/** For the auth of another region. */
@Controller()
export class RegionsController implements Rpcs<typeof RegionsService> {
  constructor(@Inject(authToken) private readonly auth: Auth) {}

  @Rpc(RegionsService.method.loginAtHome)
  loginAtHome(ctx: RequestContext, request: LoginAtHomeRequest) {
    return orUnavailable(this.auth, ctx, () => loginAtHome(this.auth, ctx, request));
  }

  @Rpc(RegionsService.method.loginSecondFactorAtHome)
  loginSecondFactorAtHome(ctx: RequestContext, request: LoginSecondFactorRequest) {
    return orUnavailable(this.auth, ctx, () => loginSecondFactorAtHome(this.auth, ctx, request));
  }
}
