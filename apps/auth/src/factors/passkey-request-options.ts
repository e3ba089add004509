import type { MessageInitShape } from '@bufbuild/protobuf';
import { isProblem, type PasskeyOptionsSchema, type Problem } from '@cloakroom/contracts';
import type { Auth } from '../auth.ts';
import { openChallenge } from './challenges.ts';
import { webauthnChallengeBytes } from './passkey-creation-options.ts';
import { requestOptions } from './passkeys.ts';

/** Names no credential, so as not to tell which accounts have passkeys (WebAuthn 14.6.2). */
export async function passkeyRequestOptions(auth: Auth): Promise<MessageInitShape<typeof PasskeyOptionsSchema> | Problem> {
  const bytes = auth.random(webauthnChallengeBytes);
  const challenge = await openChallenge(auth, 'passkey_request', { webauthn: Buffer.from(bytes).toString('base64url') });
  return isProblem(challenge) ? challenge : { challenge, options: await requestOptions(auth, bytes) };
}
