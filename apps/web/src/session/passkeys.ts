/** Calls the browser's WebAuthn. The library is loaded when the person first uses a passkey. */
import type { PublicKeyCredentialCreationOptionsJSON, PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/browser';

/** The page may show `message`. */
export class PasskeyFailure extends Error {
  override readonly name = 'PasskeyFailure';
}

/** Passkeys need a secure context. localhost is one. */
export const passkeysAreSupported = (): boolean => 'PublicKeyCredential' in globalThis;

const library = () => import('@simplewebauthn/browser');

/** Makes a passkey. @param options from the gateway @throws PasskeyFailure */
export async function createPasskey(options: object): Promise<object> {
  const { startRegistration } = await library();
  return startRegistration({ optionsJSON: options as PublicKeyCredentialCreationOptionsJSON }).catch(explain);
}

/** Proves an existing passkey. @param options from the gateway @throws PasskeyFailure */
export async function provePasskey(options: object): Promise<object> {
  const { startAuthentication } = await library();
  return startAuthentication({ optionsJSON: options as PublicKeyCredentialRequestOptionsJSON }).catch(explain);
}

/** Explains WebAuthn's errors by their names. They say little on purpose, so that a page cannot learn which passkeys a person has. */
function explain(error: unknown): never {
  const name = error instanceof Error ? error.name : '';
  if (name === 'InvalidStateError') throw new PasskeyFailure('This device has a passkey for your account already.');
  if (name === 'NotAllowedError' || name === 'AbortError')
    throw new PasskeyFailure(
      'No passkey was used: the prompt was closed or took too long. Nothing has changed; try again, or go another way.',
    );
  if (name === 'SecurityError')
    throw new PasskeyFailure('Passkeys do not work at this address. Open the shop by its name, such as localhost, not by a number.');
  throw new PasskeyFailure('This browser could not use a passkey here. Go another way.');
}
