/** Signing in by passkey alone, by the same saga as login.ts. The passkey verified the person, so auth asks for no second factor. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { isProblem, type LoginWithPasskeyRequest, type Problem, type SessionIssuedSchema } from '@cloakroom/contracts';
import type { RequestContext } from '@cloakroom/mesh';
import type { Auth } from '../auth.ts';
import { claimGuestCart, sessionBefore } from './claim.ts';
import { knownFrom } from '../throttle/known-devices.ts';
import { finishSignIn } from './login.ts';
import { provePasskey } from '../factors/prove-passkey.ts';
import { modeFor } from '../sessions/session-view.ts';

export async function loginWithPasskey(
  auth: Auth,
  ctx: RequestContext,
  request: LoginWithPasskeyRequest,
): Promise<MessageInitShape<typeof SessionIssuedSchema> | Problem> {
  const mode = modeFor(auth, request.mode);
  if (isProblem(mode)) return mode;
  const before = await sessionBefore(auth, request.currentToken);
  const proven = await provePasskey(auth, request, request.remoteAddress, (subject) =>
    knownFrom(auth, request.knownDevice, before.live, subject),
  );
  if (isProblem(proven)) return proven;
  const { account } = proven;
  const claimedGuestCart = await auth.outbox.commit((trx) => claimGuestCart(auth, trx, ctx, before, account.id, auth.clock.nowMs()));
  const { knownDevice } = request;
  return finishSignIn(auth, ctx, { ...proven, before, claimedGuestCart, mode, device: request.device?.label ?? '', knownDevice });
}
