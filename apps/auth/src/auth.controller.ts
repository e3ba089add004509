import { Inject, Injectable } from '@nestjs/common';
import type { AuthService } from '@cloakroom/contracts';
import { type Handlers, person } from '@cloakroom/mesh';
import type { Auth } from './auth.ts';
import { createGuest } from './sessions/create-guest.ts';
import { endDevice } from './sessions/end-device.ts';
import { endOtherDevices } from './sessions/end-other-devices.ts';
import { getKeys } from './tokens/get-keys.ts';
import { listDevices } from './sessions/list-devices.ts';
import { login } from './sign-in/login.ts';
import { logout } from './sessions/logout.ts';
import { orUnavailable } from './or-unavailable.ts';
import { reauthenticate } from './sign-in/reauthenticate.ts';
import { readBeatClock } from './operations/read-beat-clock.ts';
import { refresh } from './tokens/refresh.ts';
import { register } from './sign-in/register.ts';
import type { Relay } from './operations/relay.ts';
import { resolve } from './tokens/resolve.ts';
import { rotateKeys } from './tokens/rotate-keys.ts';
import { authToken, relayToken } from './injection.ts';

/** The table of contents of auth: one line an rpc. */
@Injectable()
export class AuthController {
  readonly handlers: Handlers<typeof AuthService>;

  constructor(@Inject(authToken) auth: Auth, @Inject(relayToken) relay: Relay) {
    this.handlers = {
      createGuest: (ctx, request) => orUnavailable(auth, ctx, () => createGuest(auth, request)),
      resolve: (ctx, request) => orUnavailable(auth, ctx, () => resolve(auth, ctx, request)),
      refresh: (ctx, request) => orUnavailable(auth, ctx, () => refresh(auth, ctx, request)),
      register: (ctx, request) => orUnavailable(auth, ctx, () => register(auth, ctx, request)),
      login: (ctx, request) => orUnavailable(auth, ctx, () => login(auth, ctx, request)),
      logout: (ctx, request) => orUnavailable(auth, ctx, () => logout(auth, ctx, request)),
      reauthenticate: (ctx, request) => orUnavailable(auth, ctx, () => reauthenticate(auth, person(ctx), request)),
      listDevices: (ctx) => orUnavailable(auth, ctx, () => listDevices(auth, person(ctx))),
      endDevice: (ctx, request) => orUnavailable(auth, ctx, () => endDevice(auth, person(ctx), request)),
      endOtherDevices: (ctx) => orUnavailable(auth, ctx, () => endOtherDevices(auth, person(ctx))),
      getKeys: () => Promise.resolve(getKeys(auth)),
      readBeatClock: () => readBeatClock(relay, auth.log),
      rotateKeys: (ctx, request) => orUnavailable(auth, ctx, () => rotateKeys(auth, ctx, request)),
    };
  }
}
