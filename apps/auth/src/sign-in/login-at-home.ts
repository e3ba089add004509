/** The other half of login-abroad.ts: the auth of the other region carries a sign-in here. It is proved and counted as one that was sent here. */
import {
  type LoginAtHomeRequest,
  type LoginSecondFactorRequest,
  type LoginWithPasskeyAtHomeRequest,
  problem,
  isProblem,
  type Problem,
} from '@cloakroom/contracts';
import type { RequestContext } from '@cloakroom/mesh';
import { accountToProve } from '../accounts/accounts.ts';
import type { Auth } from '../auth.ts';
import { sessionBefore } from './claim.ts';
import { login } from './login.ts';
import { loginSecondFactor } from './login-second-factor.ts';
import { loginWithPasskey } from './login-with-passkey.ts';
import { provePassword } from './prove-password.ts';
import { knownFrom } from '../throttle/known-devices.ts';
import type { Issued } from '../tokens/issue-tokens.ts';

/** A question that was carried once is not carried back. */
const alone = (auth: Auth): Auth => ({ ...auth, abroad: undefined });

export async function loginAtHome(auth: Auth, ctx: RequestContext, { login: asked, decoy }: LoginAtHomeRequest): Promise<Issued | Problem> {
  if (asked === undefined) return problem('invalid_request', 'login: is missing');
  if (!decoy) return login(alone(auth), ctx, asked);
  // The same work as in login.ts for an address that nobody has. No account has the empty address.
  const { live } = await sessionBefore(auth, '');
  const { account } = (await accountToProve(auth.database, '')) ?? {};
  const known = await knownFrom(auth, '', live, account?.id);
  const guess = { name: asked.email, account, address: asked.remoteAddress, known, waits: true };
  const proven = await provePassword(auth, guess, asked.password);
  return isProblem(proven) ? proven : problem('invalid_credentials');
}

export const loginSecondFactorAtHome = (auth: Auth, ctx: RequestContext, request: LoginSecondFactorRequest): Promise<Issued | Problem> =>
  loginSecondFactor(alone(auth), ctx, request);

export async function loginWithPasskeyAtHome(
  auth: Auth,
  ctx: RequestContext,
  { login: asked, webauthn }: LoginWithPasskeyAtHomeRequest,
): Promise<Issued | Problem> {
  return asked === undefined ? problem('invalid_request', 'login: is missing') : loginWithPasskey(alone(auth), ctx, asked, webauthn);
}
