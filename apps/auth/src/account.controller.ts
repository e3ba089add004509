import { Inject, Injectable } from '@nestjs/common';
import type { AccountService } from '@cloakroom/contracts';
import { type Handlers, person } from '@cloakroom/mesh';
import { addPasskey } from './factors/add-passkey.ts';
import type { Auth } from './auth.ts';
import { beginTotp } from './factors/begin-totp.ts';
import { changeEmail } from './sign-in/change-email.ts';
import { changePassword } from './sign-in/change-password.ts';
import { confirmTotp } from './factors/confirm-totp.ts';
import { disableUser } from './admin/disable-user.ts';
import { enableUser } from './admin/enable-user.ts';
import { findUsers } from './admin/find-users.ts';
import { authToken } from './injection.ts';
import { listFactors } from './factors/list-factors.ts';
import { listNotices } from './accounts/list-notices.ts';
import { loginSecondFactor } from './sign-in/login-second-factor.ts';
import { loginWithPasskey } from './sign-in/login-with-passkey.ts';
import { newRecoveryCodes } from './factors/new-recovery-codes.ts';
import { orUnavailable } from './or-unavailable.ts';
import { passkeyCreationOptions } from './factors/passkey-creation-options.ts';
import { passkeyRequestOptions } from './factors/passkey-request-options.ts';
import { reauthenticateWithPasskey } from './sign-in/reauthenticate-with-passkey.ts';
import { removePasskey } from './factors/remove-passkey.ts';
import { removeTotp } from './factors/remove-totp.ts';
import { revokeEverything, revokeEverythingByOperator } from './admin/revoke-all-sessions.ts';
import { revokeUser } from './admin/revoke-user.ts';

/** The table of contents of accounts: one line an rpc. */
@Injectable()
export class AccountController {
  readonly handlers: Handlers<typeof AccountService>;

  constructor(@Inject(authToken) auth: Auth) {
    this.handlers = {
      changePassword: (ctx, request) => orUnavailable(auth, ctx, () => changePassword(auth, person(ctx), request)),
      changeEmail: (ctx, request) => orUnavailable(auth, ctx, () => changeEmail(auth, person(ctx), request)),
      listFactors: (ctx) => orUnavailable(auth, ctx, () => listFactors(auth, person(ctx))),
      beginTotp: (ctx) => orUnavailable(auth, ctx, () => beginTotp(auth, person(ctx))),
      confirmTotp: (ctx, request) => orUnavailable(auth, ctx, () => confirmTotp(auth, person(ctx), request)),
      removeTotp: (ctx) => orUnavailable(auth, ctx, () => removeTotp(auth, person(ctx))),
      newRecoveryCodes: (ctx) => orUnavailable(auth, ctx, () => newRecoveryCodes(auth, person(ctx))),
      passkeyCreationOptions: (ctx) => orUnavailable(auth, ctx, () => passkeyCreationOptions(auth, person(ctx))),
      addPasskey: (ctx, request) => orUnavailable(auth, ctx, () => addPasskey(auth, person(ctx), request)),
      removePasskey: (ctx, request) => orUnavailable(auth, ctx, () => removePasskey(auth, person(ctx), request)),
      passkeyRequestOptions: (ctx) => orUnavailable(auth, ctx, () => passkeyRequestOptions(auth)),
      loginWithPasskey: (ctx, request) => orUnavailable(auth, ctx, () => loginWithPasskey(auth, ctx, request)),
      loginSecondFactor: (ctx, request) => orUnavailable(auth, ctx, () => loginSecondFactor(auth, ctx, request)),
      reauthenticateWithPasskey: (ctx, request) => orUnavailable(auth, ctx, () => reauthenticateWithPasskey(auth, person(ctx), request)),
      listNotices: (ctx) => orUnavailable(auth, ctx, () => listNotices(auth, person(ctx))),
      findUsers: (ctx, request) => orUnavailable(auth, ctx, () => findUsers(auth, person(ctx), request)),
      disableUser: (ctx, request) => orUnavailable(auth, ctx, () => disableUser(auth, person(ctx), request)),
      enableUser: (ctx, request) => orUnavailable(auth, ctx, () => enableUser(auth, person(ctx), request)),
      revokeUser: (ctx, request) => orUnavailable(auth, ctx, () => revokeUser(auth, person(ctx), request)),
      revokeEverything: (ctx) => orUnavailable(auth, ctx, () => revokeEverything(auth, person(ctx))),
      revokeEverythingByOperator: (ctx) => orUnavailable(auth, ctx, () => revokeEverythingByOperator(auth, ctx)),
    };
  }
}
