/**
 * Passkeys (WebAuthn level 3, by @simplewebauthn/server). The authenticator always verifies the user (PIN, finger, face). So a passkey is two factors
 * in one, and signs in alone. Auth accepts any attestation and checks none, since the maker of the authenticator decides nothing here.
 *
 * The challenge is ours, counts once and is looked up by its own id (challenges.ts). The origin must be one of ours. The relying party is the host of
 * the first origin that is no IP address. If an authenticator counts and its counter does not rise, it was copied: auth refuses it.
 */
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import type { Selectable } from 'kysely';
import { z } from 'zod';
import type { Account } from '../accounts/accounts.ts';
import { credentialIdLengthMax } from '@cloakroom/contracts';
import type { Auth } from '../auth.ts';
import { challengeLifetimeMs } from './challenges.ts';
import type { AuthSchema } from '../database/migrations.ts';
import type { Database } from '../database/outbox.ts';

/** The library is read at the first passkey. It brings 240 files with what it needs, and the start of auth need not wait for them. */
const webAuthn = () => import('@simplewebauthn/server');

export type Passkey = Selectable<AuthSchema['passkeys']>;

/** More than anyone has. A browser is also told to exclude this many. */
export const passkeyCountMax = 20;

/** Platform authenticators and Windows Hello make ES256 and RS256; EdDSA besides (COSE algorithm numbers, RFC 9053). */
const algorithms = [-7, -8, -257];

export async function creationOptions(auth: Auth, account: Account, challenge: Uint8Array): Promise<string> {
  const present = await passkeysOf(auth.database, account.id);
  const { generateRegistrationOptions } = await webAuthn();
  const options = await generateRegistrationOptions({
    rpName: 'Cloakroom',
    rpID: auth.relyingParty.id,
    // The id and not the e-mail, since the authenticator stores it readable without a proof (WebAuthn 14.6.1).
    userID: Uint8Array.from(Buffer.from(account.id)),
    userName: account.email,
    userDisplayName: account.name,
    challenge: Uint8Array.from(challenge),
    timeout: challengeLifetimeMs,
    attestationType: 'none',
    excludeCredentials: present.map(descriptor),
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    supportedAlgorithmIDs: algorithms,
  });
  return JSON.stringify(options);
}

/** @param allowed passkeys of a person who is known already; with none, the authenticator says who the person is */
export async function requestOptions(auth: Auth, challenge: Uint8Array, allowed: readonly Passkey[] = []): Promise<string> {
  const { generateAuthenticationOptions } = await webAuthn();
  const options = await generateAuthenticationOptions({
    rpID: auth.relyingParty.id,
    challenge: Uint8Array.from(challenge),
    timeout: challengeLifetimeMs,
    userVerification: 'required',
    ...(allowed.length > 0 && { allowCredentials: allowed.map(descriptor) }),
  });
  return JSON.stringify(options);
}

const descriptor = ({ credential_id, transports }: Passkey) => ({
  id: credential_id,
  ...(transports !== '' && { transports: transports.split(',') }),
});

const base64url = z.string().regex(/^[A-Za-z0-9_-]*$/);
/** 16 KiB are far above any real response. The schema drops fields that the library does not read. */
const responseLengthMax = 16_384;
const registrationSchema = z.object({
  id: base64url.min(1).max(credentialIdLengthMax),
  rawId: base64url.min(1).max(credentialIdLengthMax),
  type: z.literal('public-key'),
  clientExtensionResults: z.looseObject({}).default({}),
  response: z.object({
    clientDataJSON: base64url,
    attestationObject: base64url,
    transports: z
      .array(z.string().regex(/^[a-z-]{1,20}$/))
      .max(8)
      .optional(),
  }),
});
const authenticationSchema = z.object({
  id: base64url.min(1).max(credentialIdLengthMax),
  rawId: base64url.min(1).max(credentialIdLengthMax),
  type: z.literal('public-key'),
  clientExtensionResults: z.looseObject({}).default({}),
  response: z.object({ clientDataJSON: base64url, authenticatorData: base64url, signature: base64url, userHandle: base64url.nullish() }),
});

/** Verifies a new credential and returns it. Undefined when anything about it is not as asked. */
export async function verifyCreation(auth: Auth, text: string, challenge: string) {
  const response = parse(registrationSchema, text);
  if (response === undefined || !isTopLevel(response.response.clientDataJSON)) return undefined;
  const { verifyRegistrationResponse } = await webAuthn();
  try {
    const { registrationInfo } = await verifyRegistrationResponse({
      response: response as RegistrationResponseJSON,
      expectedChallenge: challenge,
      expectedOrigin: [...auth.relyingParty.origins],
      expectedRPID: auth.relyingParty.id,
      requireUserVerification: true,
      supportedAlgorithmIDs: algorithms,
    });
    if (registrationInfo === undefined) return undefined;
    const { credential, credentialDeviceType } = registrationInfo;
    return {
      credential_id: credential.id,
      public_key: Buffer.from(credential.publicKey).toString('base64url'),
      counter: credential.counter,
      device_type: credentialDeviceType,
      transports: (response.response.transports ?? []).join(','),
    };
  } catch (error) {
    auth.log.debug({ err: error }, 'a passkey was not registered');
    return undefined;
  }
}

/** The credential that a response claims, unverified, for looking up its account. */
export const credentialIdOf = (text: string): string | undefined => parse(authenticationSchema, text)?.id;

/**
 * Whether this passkey signed this challenge here, just now, for its own person. Writes the counter, so that only one of two answers with the same
 * count passes.
 * @param discoverable set when the person is not known yet: the authenticator must name them (WebAuthn 7.2 step 6)
 */
export async function verifyPasskey(
  auth: Auth,
  passkey: Passkey,
  text: string,
  challenge: string,
  { discoverable }: { readonly discoverable: boolean },
): Promise<boolean> {
  const response = parse(authenticationSchema, text);
  if (response === undefined || response.id !== passkey.credential_id || !isTopLevel(response.response.clientDataJSON)) return false;
  const { userHandle } = response.response;
  const named = typeof userHandle === 'string' && userHandle !== '';
  if (named ? Buffer.from(userHandle, 'base64url').toString() !== passkey.subject : discoverable) return false;
  const counter = await signedCounter(auth, passkey, response as AuthenticationResponseJSON, challenge);
  if (counter === undefined) return false;
  const { numUpdatedRows } = await auth.database
    .updateTable('passkeys')
    .set({ counter, last_used_at_ms: auth.clock.nowMs() })
    .where('passkey_id', '=', passkey.passkey_id)
    .where((row) => (counter === 0 ? row('counter', '=', 0) : row('counter', '<', counter)))
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

async function signedCounter(
  auth: Auth,
  passkey: Passkey,
  response: AuthenticationResponseJSON,
  challenge: string,
): Promise<number | undefined> {
  const { verifyAuthenticationResponse } = await webAuthn();
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response,
      expectedChallenge: challenge,
      expectedOrigin: [...auth.relyingParty.origins],
      expectedRPID: auth.relyingParty.id,
      requireUserVerification: true,
      credential: {
        id: passkey.credential_id,
        publicKey: Uint8Array.from(Buffer.from(passkey.public_key, 'base64url')),
        counter: passkey.counter,
      },
    });
    return verified ? authenticationInfo.newCounter : undefined;
  } catch (error) {
    auth.log.debug({ err: error }, 'a passkey was not accepted');
    return undefined;
  }
}

export const passkeysOf = (database: Database, subject: string): Promise<Passkey[]> =>
  database.selectFrom('passkeys').selectAll().where('subject', '=', subject).orderBy('created_at_ms').orderBy('passkey_id').execute();

/** Refuses to run in a frame of another site (WebAuthn 7.2 step 11). The library checks this only when the browser names the frame's owner. */
function isTopLevel(clientDataJSON: string): boolean {
  try {
    return (JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString()) as { crossOrigin?: unknown }).crossOrigin !== true;
  } catch {
    return false;
  }
}

function parse<Schema extends z.ZodType>(schema: Schema, text: string): z.output<Schema> | undefined {
  if (text.length > responseLengthMax) return undefined;
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
