import { Controller, Inject } from '@nestjs/common';
import {
  type ClaimAddressRequest,
  type ClaimGuestRequest,
  type GiveUpAddressRequest,
  type LoginAtHomeRequest,
  type LoginSecondFactorRequest,
  type LoginWithPasskeyAtHomeRequest,
  RegionsService,
} from '@cloakroom/contracts';
import { type RequestContext, Rpc, type Rpcs } from '@cloakroom/mesh';
import { claimAddress, giveUpAddress } from '../accounts/decide-address.ts';
import type { Auth } from '../auth.ts';
import { authToken } from '../injection.ts';
import { orUnavailable } from '../or-unavailable.ts';
import { claimGuest } from './claim-abroad.ts';
import { loginAtHome, loginSecondFactorAtHome, loginWithPasskeyAtHome } from './login-at-home.ts';

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

  @Rpc(RegionsService.method.loginWithPasskeyAtHome)
  loginWithPasskeyAtHome(ctx: RequestContext, request: LoginWithPasskeyAtHomeRequest) {
    return orUnavailable(this.auth, ctx, () => loginWithPasskeyAtHome(this.auth, ctx, request));
  }

  @Rpc(RegionsService.method.claimAddress)
  claimAddress(ctx: RequestContext, request: ClaimAddressRequest) {
    return orUnavailable(this.auth, ctx, () => claimAddress(this.auth, request));
  }

  @Rpc(RegionsService.method.giveUpAddress)
  giveUpAddress(ctx: RequestContext, request: GiveUpAddressRequest) {
    return orUnavailable(this.auth, ctx, () => giveUpAddress(this.auth, request));
  }

  @Rpc(RegionsService.method.claimGuest)
  claimGuest(ctx: RequestContext, request: ClaimGuestRequest) {
    return orUnavailable(this.auth, ctx, () => claimGuest(this.auth, ctx, request));
  }
}
