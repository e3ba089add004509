import type { MessageInitShape } from '@bufbuild/protobuf';
import { isProblem, type Problem, type SecondFactorChallengeSchema } from '@cloakroom/contracts';
import type { TokenMode } from '@cloakroom/session';
import type { Account } from '../accounts/accounts.ts';
import type { Auth } from '../auth.ts';
import { openChallenge } from './challenges.ts';
import { webauthnChallengeBytes } from './passkey-creation-options.ts';
import { passkeysOf, requestOptions } from './passkeys.ts';
import { hasAny, methodsOf, secondFactorsOf } from './second-factors.ts';

/**
 * Opens a challenge for a person whose password was right; undefined if the account has no second factor. The challenge holds the account as the
 * password found it. Another password, another factor or a raised epoch makes the challenge worthless.
 */
export async function challengeSecondFactor(
  auth: Auth,
  account: Account,
  epoch: number,
  mode: TokenMode,
): Promise<MessageInitShape<typeof SecondFactorChallengeSchema> | Problem | undefined> {
  const factors = await secondFactorsOf(auth.database, account.id);
  if (!hasAny(factors)) return undefined;
  const bytes = auth.random(webauthnChallengeBytes);
  const challenge = await openChallenge(auth, 'second_factor', {
    subject: account.id,
    webauthn: Buffer.from(bytes).toString('base64url'),
    proof_version: account.proof_version,
    epoch,
    mode,
  });
  if (isProblem(challenge)) return challenge;
  return {
    challenge,
    methods: await methodsOf(auth.database, account.id, factors),
    passkeyOptions: factors.passkeys ? await requestOptions(auth, bytes, await passkeysOf(auth.database, account.id)) : '',
  };
}
