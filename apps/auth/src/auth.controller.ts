import { Inject, Injectable } from '@nestjs/common';
import type { AuthService } from '@cloakroom/contracts';
import { type Handlers, person } from '@cloakroom/platform';
import type { Auth } from './auth.ts';
import { createGuest } from './create-guest.ts';
import { endDevice } from './end-device.ts';
import { endOtherDevices } from './end-other-devices.ts';
import { getKeys } from './get-keys.ts';
import { listDevices } from './list-devices.ts';
import { login } from './login.ts';
import { logout } from './logout.ts';
import { orUnavailable } from './or-unavailable.ts';
import { reauthenticate } from './reauthenticate.ts';
import { readBeatClock } from './read-beat-clock.ts';
import { refresh } from './refresh.ts';
import { register } from './register.ts';
import type { Relay } from './relay.ts';
import { resolve } from './resolve.ts';
import { rotateKeys } from './rotate-keys.ts';
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
