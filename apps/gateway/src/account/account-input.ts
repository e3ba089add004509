/** What a person sends to change an account. auth judges what it means; here it is bounded, and the person is told which field is wrong. */
import { z } from 'zod';
import { askedModeSchema } from '../session/session-answer.ts';
import { words } from '../words.ts';

const challenge = z.string().min(1).max(64).meta({ description: 'The id that came with the options; good once, for 5 minutes.' });
const response = z
  .looseObject({ id: z.string().max(1_400) })
  .meta({ description: 'What the browser answered: RegistrationResponseJSON or AuthenticationResponseJSON (WebAuthn level 3).' });
const code = z.string().regex(/^\s*\d{6}\s*$/, 'must be 6 digits');
const recoveryCode = z.string().min(1).max(64);

export const passwordBody = z.object({
  password: z.string().min(8, 'at least 8 characters').max(200),
  endOthers: z.boolean().optional().meta({ description: 'Ends every other session of this person too.' }),
});
export const emailBody = z.object({ email: z.email().max(254) });
export const totpBody = z.object({ code });
export const addPasskeyBody = z.object({ challenge, name: words(100), response });
export const passkeyParams = z.object({ passkeyId: z.string().min(1).max(64) });
export const passkeyLoginBody = z.object({ challenge, response, mode: askedModeSchema.optional() });
export const secondFactorBody = z
  .object({ challenge, code: code.optional(), recoveryCode: recoveryCode.optional(), response: response.optional() })
  .refine((body) => [body.code, body.recoveryCode, body.response].filter((proof) => proof !== undefined).length === 1, {
    message: 'exactly one of code, recoveryCode and response',
  })
  .meta({ oneOf: [{ required: ['code'] }, { required: ['recoveryCode'] }, { required: ['response'] }] });
export const usersQuery = z.object({ query: z.string().max(254).optional() });
export const userParams = z.object({ userId: z.string().min(1).max(64) });

/** Of reauthenticate: a password, with a code where there is a second factor, or a passkey. */
export const stepUpFields = {
  code: code.optional(),
  recoveryCode: recoveryCode.optional(),
  challenge: challenge.optional(),
  response: response.optional(),
};
