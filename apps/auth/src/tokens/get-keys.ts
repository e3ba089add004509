/**
 * Returns the keys by which others verify. A process asks when it meets an unknown key, which another replica may have made a moment ago. So auth
 * reads the database first. An answer without that key would make the process refuse its passports for seconds (the ring remembers a missing key).
 */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { GetKeysResponseSchema } from '@cloakroom/contracts';
import type { Auth } from '../auth.ts';

/** A third of the caller's budget (1 s). When the database does not answer, auth still returns the keys that it knows. */
const lookMaxMs = 300;

export async function getKeys(auth: Auth): Promise<MessageInitShape<typeof GetKeysResponseSchema>> {
  await lookForNewKeys(auth);
  return { jwks: auth.keys.jwks() };
}

/** Never throws. The timer reads later what could not be read here (signing-keys.ts). */
async function lookForNewKeys({ keys, log }: Pick<Auth, 'keys' | 'log'>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, lookMaxMs).unref()));
  const looked = keys.reload().catch((error: unknown) => log.debug({ err: error }, 'the signing keys could not be read again'));
  await Promise.race([looked, late]).finally(() => clearTimeout(timer));
}
