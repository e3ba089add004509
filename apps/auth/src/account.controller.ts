import { Controller, Inject } from '@nestjs/common';
import {
  AccountService,
  type AddPasskeyRequest,
  type ChangeEmailRequest,
  type ChangePasswordRequest,
  type ConfirmTotpRequest,
  type DisableUserRequest,
  type EnableUserRequest,
  type FindUsersRequest,
  type LoginSecondFactorRequest,
  type LoginWithPasskeyRequest,
  type ReauthenticateWithPasskeyRequest,
  type RemovePasskeyRequest,
  type RevokeUserRequest,
} from '@cloakroom/contracts';
import { person, type RequestContext, Rpc, type Rpcs } from '@cloakroom/mesh';
import { listNotices } from './accounts/list-notices.ts';
import { disableUser } from './admin/disable-user.ts';
import { enableUser } from './admin/enable-user.ts';
import { findUsers } from './admin/find-users.ts';
import { revokeEverything, revokeEverythingByOperator } from './admin/revoke-all-sessions.ts';
import { revokeUser } from './admin/revoke-user.ts';
import type { Auth } from './auth.ts';
import { addPasskey } from './factors/add-passkey.ts';
import { beginTotp } from './factors/begin-totp.ts';
import { confirmTotp } from './factors/confirm-totp.ts';
import { listFactors } from './factors/list-factors.ts';
import { newRecoveryCodes } from './factors/new-recovery-codes.ts';
import { passkeyCreationOptions } from './factors/passkey-creation-options.ts';
import { passkeyRequestOptions } from './factors/passkey-request-options.ts';
import { removePasskey } from './factors/remove-passkey.ts';
import { removeTotp } from './factors/remove-totp.ts';
import { authToken } from './injection.ts';
import { orUnavailable } from './or-unavailable.ts';
import { changeEmail } from './sign-in/change-email.ts';
import { changePassword } from './sign-in/change-password.ts';
import { loginSecondFactor } from './sign-in/login-second-factor.ts';
import { loginWithPasskey } from './sign-in/login-with-passkey.ts';
import { reauthenticateWithPasskey } from './sign-in/reauthenticate-with-passkey.ts';

/** The table of contents of accounts: one line for each rpc. */
@Controller()
export class AccountController implements Rpcs<typeof AccountService> {
  constructor(@Inject(authToken) private readonly auth: Auth) {}

  @Rpc(AccountService.method.changePassword)
  changePassword(ctx: RequestContext, request: ChangePasswordRequest) {
    return orUnavailable(this.auth, ctx, () => changePassword(this.auth, person(ctx), request));
  }

  @Rpc(AccountService.method.changeEmail)
  changeEmail(ctx: RequestContext, request: ChangeEmailRequest) {
    return orUnavailable(this.auth, ctx, () => changeEmail(this.auth, person(ctx), request));
  }

  @Rpc(AccountService.method.listFactors)
  listFactors(ctx: RequestContext) {
    return orUnavailable(this.auth, ctx, () => listFactors(this.auth, person(ctx)));
  }

  @Rpc(AccountService.method.beginTotp)
  beginTotp(ctx: RequestContext) {
    return orUnavailable(this.auth, ctx, () => beginTotp(this.auth, person(ctx)));
  }

  @Rpc(AccountService.method.confirmTotp)
  confirmTotp(ctx: RequestContext, request: ConfirmTotpRequest) {
    return orUnavailable(this.auth, ctx, () => confirmTotp(this.auth, person(ctx), request));
  }

  @Rpc(AccountService.method.removeTotp)
  removeTotp(ctx: RequestContext) {
    return orUnavailable(this.auth, ctx, () => removeTotp(this.auth, person(ctx)));
  }

  @Rpc(AccountService.method.newRecoveryCodes)
  newRecoveryCodes(ctx: RequestContext) {
    return orUnavailable(this.auth, ctx, () => newRecoveryCodes(this.auth, person(ctx)));
  }

  @Rpc(AccountService.method.passkeyCreationOptions)
  passkeyCreationOptions(ctx: RequestContext) {
    return orUnavailable(this.auth, ctx, () => passkeyCreationOptions(this.auth, person(ctx)));
  }

  @Rpc(AccountService.method.addPasskey)
  addPasskey(ctx: RequestContext, request: AddPasskeyRequest) {
    return orUnavailable(this.auth, ctx, () => addPasskey(this.auth, person(ctx), request));
  }

  @Rpc(AccountService.method.removePasskey)
  removePasskey(ctx: RequestContext, request: RemovePasskeyRequest) {
    return orUnavailable(this.auth, ctx, () => removePasskey(this.auth, person(ctx), request));
  }

  @Rpc(AccountService.method.passkeyRequestOptions)
  passkeyRequestOptions(ctx: RequestContext) {
    return orUnavailable(this.auth, ctx, () => passkeyRequestOptions(this.auth));
  }

  @Rpc(AccountService.method.loginWithPasskey)
  loginWithPasskey(ctx: RequestContext, request: LoginWithPasskeyRequest) {
    return orUnavailable(this.auth, ctx, () => loginWithPasskey(this.auth, ctx, request));
  }

  @Rpc(AccountService.method.loginSecondFactor)
  loginSecondFactor(ctx: RequestContext, request: LoginSecondFactorRequest) {
    return orUnavailable(this.auth, ctx, () => loginSecondFactor(this.auth, ctx, request));
  }

  @Rpc(AccountService.method.reauthenticateWithPasskey)
  reauthenticateWithPasskey(ctx: RequestContext, request: ReauthenticateWithPasskeyRequest) {
    return orUnavailable(this.auth, ctx, () => reauthenticateWithPasskey(this.auth, person(ctx), request));
  }

  @Rpc(AccountService.method.listNotices)
  listNotices(ctx: RequestContext) {
    return orUnavailable(this.auth, ctx, () => listNotices(this.auth, person(ctx)));
  }

  @Rpc(AccountService.method.findUsers)
  findUsers(ctx: RequestContext, request: FindUsersRequest) {
    return orUnavailable(this.auth, ctx, () => findUsers(this.auth, person(ctx), request));
  }

  @Rpc(AccountService.method.disableUser)
  disableUser(ctx: RequestContext, request: DisableUserRequest) {
    return orUnavailable(this.auth, ctx, () => disableUser(this.auth, person(ctx), request));
  }

  @Rpc(AccountService.method.enableUser)
  enableUser(ctx: RequestContext, request: EnableUserRequest) {
    return orUnavailable(this.auth, ctx, () => enableUser(this.auth, person(ctx), request));
  }

  @Rpc(AccountService.method.revokeUser)
  revokeUser(ctx: RequestContext, request: RevokeUserRequest) {
    return orUnavailable(this.auth, ctx, () => revokeUser(this.auth, person(ctx), request));
  }

  @Rpc(AccountService.method.revokeEverything)
  revokeEverything(ctx: RequestContext) {
    return orUnavailable(this.auth, ctx, () => revokeEverything(this.auth, person(ctx)));
  }

  @Rpc(AccountService.method.revokeEverythingByOperator)
  revokeEverythingByOperator(ctx: RequestContext) {
    return orUnavailable(this.auth, ctx, () => revokeEverythingByOperator(this.auth, ctx));
  }
}
