/**
 * Signing in by passkey alone, by the same saga as login.ts. The passkey verified the person, so auth asks for no second factor. A passkey that nobody
 * has here may belong to an account of the other region (login-abroad.ts).
 */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { isProblem, type LoginWithPasskeyRequest, type Problem, type SessionIssuedSchema } from '@cloakroom/contracts';
import type { RequestContext } from '@cloakroom/mesh';
import type { Auth } from '../auth.ts';
import { claimGuestCart, sessionBefore } from './claim.ts';
import { knownFrom } from '../throttle/known-devices.ts';
import { finishSignIn } from './login.ts';
import { passkeyAbroad } from './login-abroad.ts';
import { provePasskey, takePasskeyAnswer } from '../factors/prove-passkey.ts';
import { modeFor } from '../sessions/session-view.ts';

/** @param webauthn the bytes of a challenge of the other region, which spent it */
export async function loginWithPasskey(
  auth: Auth,
  ctx: RequestContext,
  request: LoginWithPasskeyRequest,
  webauthn?: string,
): Promise<MessageInitShape<typeof SessionIssuedSchema> | Problem> {
  const mode = modeFor(auth, request.mode);
  if (isProblem(mode)) return mode;
  const before = await sessionBefore(auth, request.currentToken);
  const { challenge, response, remoteAddress: address } = request;
  const asked = { challenge, response, address, ...(webauthn !== undefined && { webauthn }) };
  const answer = await takePasskeyAnswer(auth, asked, (subject) => knownFrom(auth, request.knownDevice, before.live, subject));
  if (isProblem(answer)) return answer;
  if (answer.found === undefined && auth.abroad !== undefined) return passkeyAbroad(auth, ctx, auth.abroad, { request, before, answer });
  const proven = await provePasskey(auth, answer);
  if (isProblem(proven)) return proven;
  const { account } = proven;
  const claimedGuestCart = await auth.outbox.commit((trx) => claimGuestCart(auth, trx, ctx, before, account.id, auth.clock.nowMs()));
  const { knownDevice } = request;
  return finishSignIn(auth, ctx, { ...proven, before, claimedGuestCart, mode, device: request.device?.label ?? '', knownDevice });
}
