/**
 * The second half of a sign-in (login.ts): a factor besides the password that was proved up to 5 minutes ago. A wrong answer costs one of the
 * challenge's few tries. A right answer ends the challenge, and only then is a guest's cart claimed.
 */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { isProblem, type LoginSecondFactorRequest, problem, type Problem, type SessionIssuedSchema } from '@cloakroom/contracts';
import type { RequestContext } from '@cloakroom/mesh';
import type { TokenMode } from '@cloakroom/session';
import { accountById } from '../accounts/accounts.ts';
import type { Auth } from '../auth.ts';
import { type Challenge, closeChallenge, tryChallenge } from '../factors/challenges.ts';
import { claimGuestCart, sessionBefore } from './claim.ts';
import { knownFrom } from '../throttle/known-devices.ts';
import { finishSignIn } from './login.ts';
import { credentialIdOf, passkeysOf, verifyPasskey } from '../factors/passkeys.ts';
import type { Amr } from '../tokens/proof.ts';
import { secondFactorAbroad } from './login-abroad.ts';
import { proveByCode } from '../factors/second-factors.ts';
import type { Known } from '../throttle/throttle.ts';

export async function loginSecondFactor(
  auth: Auth,
  ctx: RequestContext,
  request: LoginSecondFactorRequest,
): Promise<MessageInitShape<typeof SessionIssuedSchema> | Problem> {
  const abroad = auth.abroad && (await secondFactorAbroad(auth, ctx, auth.abroad, request));
  if (abroad !== undefined) return abroad;
  const challenge = await tryChallenge(auth, 'second_factor', request.challenge);
  if (challenge === undefined) return problem('challenge_expired');
  const account = await accountById(auth.database, challenge.subject);
  if (account === undefined || account.disabled === 1 || account.proof_version !== challenge.proof_version)
    return problem('challenge_expired');
  const before = await sessionBefore(auth, request.currentToken);
  const known = await knownFrom(auth, request.knownDevice, before.live, account.id);
  const amr = await prove(auth, challenge, request, known);
  if (isProblem(amr)) return amr;
  const claimedGuestCart = await auth.outbox.commit(async (trx) =>
    (await closeChallenge(trx, challenge.id)) ? claimGuestCart(auth, trx, ctx, before, account.id, auth.clock.nowMs()) : undefined,
  );
  if (claimedGuestCart === undefined) return problem('challenge_expired');
  return finishSignIn(auth, ctx, {
    account,
    before,
    claimedGuestCart,
    // The epoch from when the password was read: a revoke-all since then ends this sign-in too.
    epoch: challenge.epoch,
    amr,
    mode: challenge.mode as TokenMode,
    device: request.device?.label ?? '',
    knownDevice: request.knownDevice,
  });
}

async function prove(
  auth: Auth,
  challenge: Challenge,
  { proof, remoteAddress: address }: LoginSecondFactorRequest,
  known: Known | 'stranger',
): Promise<Amr | Problem> {
  if (proof.case === 'code') return proveByCode(auth, challenge.subject, { code: proof.value }, { address, known });
  if (proof.case === 'recoveryCode') return proveByCode(auth, challenge.subject, { recoveryCode: proof.value }, { address, known });
  if (proof.case === undefined) return problem('invalid_request', 'one of code, recoveryCode and response');
  const id = credentialIdOf(proof.value);
  const passkey = (await passkeysOf(auth.database, challenge.subject)).find(({ credential_id }) => credential_id === id);
  const right = passkey !== undefined && (await verifyPasskey(auth, passkey, proof.value, challenge.webauthn, { discoverable: false }));
  if (!right) return problem('invalid_second_factor');
  return passkey.device_type === 'singleDevice' ? 'pwd hwk mfa' : 'pwd swk mfa';
}
