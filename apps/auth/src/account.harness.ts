/** Common steps of the account tests: a signed-in person with an app and a passkey, and the second half of a sign-in. */
import { create } from '@bufbuild/protobuf';
import {
  AddPasskeyRequestSchema,
  ConfirmTotpRequestSchema,
  LoginSecondFactorRequestSchema,
  LoginWithPasskeyRequestSchema,
} from '@cloakroom/contracts';
import { Secret, TOTP } from 'otpauth';
import { addPasskey } from './factors/add-passkey.ts';
import { contextOf, type Harness, look, ok, openHarness, personWith, signIn, signUp } from './auth.harness.ts';
import { SoftwareAuthenticator } from './factors/authenticator.fixture.ts';
import { beginTotp } from './factors/begin-totp.ts';
import { confirmTotp } from './factors/confirm-totp.ts';
import { loginSecondFactor } from './sign-in/login-second-factor.ts';
import { loginWithPasskey } from './sign-in/login-with-passkey.ts';
import { noticesOf } from './accounts/notices.ts';
import { passkeyCreationOptions } from './factors/passkey-creation-options.ts';
import { passkeyRequestOptions } from './factors/passkey-request-options.ts';

export const email = 'ada@example.com';

export interface Signed {
  readonly harness: Harness;
  readonly token: string;
  readonly subject: string;
}

export async function signedUp(): Promise<Signed> {
  const harness = await openHarness();
  const { token, session } = ok(await signUp(harness, email));
  return { harness, token: token!, subject: session!.subject! };
}

export const alive = async (harness: Harness, token: string): Promise<boolean> => (await look(harness, token)).session !== undefined;

export const kindsOf = async ({ harness, subject }: Signed): Promise<string[]> =>
  (await noticesOf(harness.auth.database, subject)).map(({ kind }) => kind);

export const claimsOf = async (harness: Harness, token: string) => {
  const { passport } = await look(harness, token, 'cart');
  return JSON.parse(Buffer.from(passport!.split('.')[1]!, 'base64url').toString()) as { acr: string; amr: string[] };
};

/** The code that the authenticator app shows at a moment. */
export const codeAt = (secret: string, nowMs: number): string =>
  new TOTP({ secret: Secret.fromBase32(secret), algorithm: 'SHA1', digits: 6, period: 30 }).generate({ timestamp: nowMs });

/** Sets up the app. This spends the code, so the clock goes on by one step. */
export async function withApp(signed: Pick<Signed, 'harness' | 'token'>) {
  const { harness, token } = signed;
  const person = await personWith(harness, token);
  const secret = ok(await beginTotp(harness.auth, person)).secret!;
  const code = codeAt(secret, harness.clock.nowMs());
  const { codes } = ok(await confirmTotp(harness.auth, person, create(ConfirmTotpRequestSchema, { code })));
  harness.clock.advance(30_000);
  return { secret, codes: codes!, code: () => codeAt(secret, harness.clock.nowMs()) };
}

export async function withPasskey({ harness, token }: Pick<Signed, 'harness' | 'token'>, authenticator = new SoftwareAuthenticator()) {
  const person = await personWith(harness, token);
  const { challenge, options } = ok(await passkeyCreationOptions(harness.auth, person));
  const response = authenticator.create(options!);
  const added = ok(
    await addPasskey(harness.auth, person, create(AddPasskeyRequestSchema, { challenge: challenge!, name: 'Laptop', response })),
  );
  return { authenticator, added };
}

export async function askForPasskey({ auth }: Harness): Promise<{ challenge: string; options: string }> {
  const { challenge, options } = ok(await passkeyRequestOptions(auth));
  return { challenge: challenge!, options: options! };
}

export const loginPasskey = ({ auth }: Harness, challenge: string, response: string, currentToken = '') =>
  loginWithPasskey(auth, contextOf(), create(LoginWithPasskeyRequestSchema, { challenge, response, currentToken }));

export const firstHalf = async (harness: Harness) => {
  const { secondFactor } = ok(await signIn(harness, email));
  return secondFactor!;
};

type Proof = { case: 'code' | 'recoveryCode' | 'response'; value: string };

export const secondHalf = ({ auth }: Harness, challenge: string, proof: Proof, currentToken = '') =>
  loginSecondFactor(auth, contextOf(), create(LoginSecondFactorRequestSchema, { challenge, proof, currentToken }));
