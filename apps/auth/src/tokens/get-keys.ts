/**
 * The keys by which others verify. Asked for when somebody met an unknown one, perhaps made by another replica a moment ago: so the database is
 * looked at first. An answer without that key would have its passports refused for seconds (the ring remembers what is missing).
 */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { GetKeysResponseSchema } from '@cloakroom/contracts';
import type { Auth } from '../auth.ts';

/** A third of the caller's budget (1 s). A database that does not answer must not take what is known away. */
const lookMaxMs = 300;

export async function getKeys(auth: Auth): Promise<MessageInitShape<typeof GetKeysResponseSchema>> {
  await lookForNewKeys(auth);
  return { jwks: auth.keys.jwks() };
}

/** Never fails: what it could not read is read by the timer (signing-keys.ts). */
async function lookForNewKeys({ keys, log }: Pick<Auth, 'keys' | 'log'>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, lookMaxMs).unref()));
  const looked = keys.reload().catch((error: unknown) => log.debug({ err: error }, 'the signing keys could not be read again'));
  await Promise.race([looked, late]).finally(() => clearTimeout(timer));
}
