/** The inputs that change an account. auth judges what they mean. The gateway bounds them, and tells the person which field is wrong. */
import { emailLengthMax, nameLengthMax } from '@cloakroom/contracts';
import { z } from 'zod';
import { askedModeSchema } from '../session/session-answer.ts';
import { email, newPassword, proofFields } from '../session/sign-in-input.ts';
import { words } from '../words.ts';

const { challenge, response, code, recoveryCode } = proofFields;

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
