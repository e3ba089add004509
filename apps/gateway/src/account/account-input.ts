/** What a person sends to change an account. auth judges what it means; here it is bounded, and the person is told which field is wrong. */
import { credentialIdLengthMax, emailLengthMax, nameLengthMax, passwordLengthMax, passwordLengthMin } from '@cloakroom/contracts';
import { z } from 'zod';
import { askedModeSchema } from '../session/session-answer.ts';
import { words } from '../words.ts';

/** Any characters, no composition rules (NIST SP 800-63B 3.1.1). At a sign-in its least length would tell too much. */
export const password = z.string().min(1).max(passwordLengthMax);
export const newPassword = password.min(passwordLengthMin, `at least ${passwordLengthMin} characters`);
export const email = z.email().max(emailLengthMax);

const challenge = z.string().min(1).max(64).meta({ description: 'The id that came with the options; good once, for 5 minutes.' });
const response = z
  .looseObject({ id: z.string().max(credentialIdLengthMax) })
  .meta({ description: 'What the browser answered: RegistrationResponseJSON or AuthenticationResponseJSON (WebAuthn level 3).' });
const code = z.string().regex(/^\s*\d{6}\s*$/, 'must be 6 digits');
const recoveryCode = z.string().min(1).max(64);

export const passwordBody = z.object({
  password: newPassword,
  endOthers: z.boolean().optional().meta({ description: 'Ends every other session of this person too.' }),
});
export const emailBody = z.object({ email });
export const totpBody = z.object({ code });
export const addPasskeyBody = z.object({ challenge, name: words(nameLengthMax), response });
export const passkeyParams = z.object({ passkeyId: z.string().min(1).max(64) });
export const passkeyLoginBody = z.object({ challenge, response, mode: askedModeSchema.optional() });
export const secondFactorBody = z
  .object({ challenge, code: code.optional(), recoveryCode: recoveryCode.optional(), response: response.optional() })
  .refine((body) => [body.code, body.recoveryCode, body.response].filter((proof) => proof !== undefined).length === 1, {
    message: 'exactly one of code, recoveryCode and response',
  })
  .meta({ oneOf: [{ required: ['code'] }, { required: ['recoveryCode'] }, { required: ['response'] }] });
export const usersQuery = z.object({ query: z.string().max(emailLengthMax).optional() });
export const userParams = z.object({ userId: z.string().min(1).max(64) });

/** Of reauthenticate: a password, with a code where there is a second factor, or a passkey. */
export const stepUpFields = {
  code: code.optional(),
  recoveryCode: recoveryCode.optional(),
  challenge: challenge.optional(),
  response: response.optional(),
};
