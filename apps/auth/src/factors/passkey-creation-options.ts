import type { MessageInitShape } from '@bufbuild/protobuf';
import { isProblem, type PasskeyOptionsSchema, problem, type Problem } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/mesh';
import type { Auth } from '../auth.ts';
import { openChallenge } from './challenges.ts';
import { ownAccount } from '../accounts/own-account.ts';
import { creationOptions, passkeyCountMax, passkeysOf } from './passkeys.ts';

/** WebAuthn 13.4.3 asks for 16 bytes at least. */
export const webauthnChallengeBytes = 32;

export async function passkeyCreationOptions(
  auth: Auth,
  ctx: PersonContext,
): Promise<MessageInitShape<typeof PasskeyOptionsSchema> | Problem> {
  const own = await ownAccount(auth, ctx);
  if (isProblem(own)) return own;
  const { account } = own;
  if ((await passkeysOf(auth.database, account.id)).length >= passkeyCountMax)
    return problem('limit_exceeded', `At most ${passkeyCountMax} passkeys.`);
  const bytes = auth.random(webauthnChallengeBytes);
  const challenge = await openChallenge(auth, 'passkey_creation', {
    subject: account.id,
    webauthn: Buffer.from(bytes).toString('base64url'),
  });
  return isProblem(challenge) ? challenge : { challenge, options: await creationOptions(auth, account, bytes) };
}
