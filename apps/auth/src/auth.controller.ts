import { Controller, Inject } from '@nestjs/common';
import {
  AuthService,
  type CreateGuestRequest,
  type EndDeviceRequest,
  type LoginRequest,
  type LogoutRequest,
  type ReauthenticateRequest,
  type RefreshRequest,
  type RegisterRequest,
  type ResolveRequest,
  type RotateKeysRequest,
} from '@cloakroom/contracts';
import { person, type RequestContext, Rpc, type Rpcs } from '@cloakroom/mesh';
import type { Auth } from './auth.ts';
import { authToken, relayToken } from './injection.ts';
import { readBeatClock } from './operations/read-beat-clock.ts';
import type { Relay } from './operations/relay.ts';
import { orUnavailable } from './or-unavailable.ts';
import { createGuest } from './sessions/create-guest.ts';
import { endDevice } from './sessions/end-device.ts';
import { endOtherDevices } from './sessions/end-other-devices.ts';
import { listDevices } from './sessions/list-devices.ts';
import { logout } from './sessions/logout.ts';
import { login } from './sign-in/login.ts';
import { reauthenticate } from './sign-in/reauthenticate.ts';
import { register } from './sign-in/register.ts';
import { getKeys } from './tokens/get-keys.ts';
import { refresh } from './tokens/refresh.ts';
import { resolve } from './tokens/resolve.ts';
import { rotateKeys } from './tokens/rotate-keys.ts';

/** The table of contents of auth: one line for each rpc. */
@Controller()
export class AuthController implements Rpcs<typeof AuthService> {
  constructor(
    @Inject(authToken) private readonly auth: Auth,
    @Inject(relayToken) private readonly relay: Relay,
  ) {}

  @Rpc(AuthService.method.createGuest)
  createGuest(ctx: RequestContext, request: CreateGuestRequest) {
    return orUnavailable(this.auth, ctx, () => createGuest(this.auth, request));
  }

  @Rpc(AuthService.method.resolve)
  resolve(ctx: RequestContext, request: ResolveRequest) {
    return orUnavailable(this.auth, ctx, () => resolve(this.auth, ctx, request));
  }

  @Rpc(AuthService.method.refresh)
  refresh(ctx: RequestContext, request: RefreshRequest) {
    return orUnavailable(this.auth, ctx, () => refresh(this.auth, ctx, request));
  }

  @Rpc(AuthService.method.register)
  register(ctx: RequestContext, request: RegisterRequest) {
    return orUnavailable(this.auth, ctx, () => register(this.auth, ctx, request));
  }

  @Rpc(AuthService.method.login)
  login(ctx: RequestContext, request: LoginRequest) {
    return orUnavailable(this.auth, ctx, () => login(this.auth, ctx, request));
  }

  @Rpc(AuthService.method.logout)
  logout(ctx: RequestContext, request: LogoutRequest) {
    return orUnavailable(this.auth, ctx, () => logout(this.auth, ctx, request));
  }

  @Rpc(AuthService.method.reauthenticate)
  reauthenticate(ctx: RequestContext, request: ReauthenticateRequest) {
    return orUnavailable(this.auth, ctx, () => reauthenticate(this.auth, person(ctx), request));
  }

  @Rpc(AuthService.method.listDevices)
  listDevices(ctx: RequestContext) {
    return orUnavailable(this.auth, ctx, () => listDevices(this.auth, person(ctx)));
  }

  @Rpc(AuthService.method.endDevice)
  endDevice(ctx: RequestContext, request: EndDeviceRequest) {
    return orUnavailable(this.auth, ctx, () => endDevice(this.auth, person(ctx), request));
  }

  @Rpc(AuthService.method.endOtherDevices)
  endOtherDevices(ctx: RequestContext) {
    return orUnavailable(this.auth, ctx, () => endOtherDevices(this.auth, person(ctx)));
  }

  @Rpc(AuthService.method.getKeys)
  getKeys() {
    return Promise.resolve(getKeys(this.auth));
  }

  @Rpc(AuthService.method.readBeatClock)
  readBeatClock() {
    return readBeatClock(this.relay, this.auth.log);
  }

  @Rpc(AuthService.method.rotateKeys)
  rotateKeys(ctx: RequestContext, request: RotateKeysRequest) {
    return orUnavailable(this.auth, ctx, () => rotateKeys(this.auth, ctx, request));
  }
}
