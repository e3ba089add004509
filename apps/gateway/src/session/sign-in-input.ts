/** The fields by which a person proves who they are. They are bounded: hashing a megabyte would cost us work and an attacker nothing. */
import { credentialIdLengthMax, emailLengthMax, nameLengthMax, passwordLengthMax, passwordLengthMin } from '@cloakroom/contracts';
import { z } from 'zod';
import { words } from '../words.ts';
import { askedModeSchema } from './session-answer.ts';

/** Any characters, no composition rules (NIST SP 800-63B 3.1.1). A sign-in does not check the least length, which would tell too much. */
const password = z.string().min(1).max(passwordLengthMax);
export const newPassword = password.min(passwordLengthMin, `at least ${passwordLengthMin} characters`);
export const email = z.email().max(emailLengthMax);
/** The other proofs of a person: a passkey's answer to a challenge, a code of an authenticator, a recovery code. */
export const proofFields = {
  challenge: z.string().min(1).max(64).meta({ description: 'The id that came with the options; good once, for 5 minutes.' }),
  response: z
    .looseObject({ id: z.string().max(credentialIdLengthMax) })
    .meta({ description: 'What the browser answered: RegistrationResponseJSON or AuthenticationResponseJSON (WebAuthn level 3).' }),
  code: z.string().regex(/^\s*\d{6}\s*$/, 'must be 6 digits'),
  recoveryCode: z.string().min(1).max(64),
};

export const loginBody = z.object({ email, password, mode: askedModeSchema.optional() });
export const registerBody = z.object({
  email,
  password: newPassword,
  name: words(nameLengthMax),
  mode: askedModeSchema.optional(),
});
/** A password, with a code if there is a second factor; or a passkey's answer to a challenge. */
export const reauthenticateBody = z
  .object({ password, ...proofFields })
  .partial()
  .refine((body) => (body.password === undefined) !== (body.challenge === undefined || body.response === undefined), {
    message: 'password, or challenge and response',
  })
  .meta({ oneOf: [{ required: ['password'] }, { required: ['challenge', 'response'] }] });
