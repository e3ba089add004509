/** What a person types to prove who they are. Bounded: hashing a megabyte would be work for us that costs an attacker nothing. */
import { nameLengthMax } from '@cloakroom/contracts';
import { z } from 'zod';
import { email, newPassword, password, stepUpFields } from '../account/account-input.ts';
import { words } from '../words.ts';
import { askedModeSchema } from './session-answer.ts';

export const loginBody = z.object({ email, password, mode: askedModeSchema.optional() });
export const registerBody = z.object({
  email,
  password: newPassword,
  name: words(nameLengthMax),
  mode: askedModeSchema.optional(),
});
/** A password, with a code where there is a second factor; or a passkey's answer to a challenge. */
export const reauthenticateBody = z
  .object({ password: password.optional(), ...stepUpFields })
  .refine((body) => (body.password === undefined) !== (body.challenge === undefined || body.response === undefined), {
    message: 'password, or challenge and response',
  })
  .meta({ oneOf: [{ required: ['password'] }, { required: ['challenge', 'response'] }] });
