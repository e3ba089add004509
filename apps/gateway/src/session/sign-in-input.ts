/** What a person types to prove who they are. Bounded: hashing a megabyte would be work for us that costs an attacker nothing. */
import { z } from 'zod';
import { stepUpFields } from '../account/account-input.ts';
import { words } from '../words.ts';
import { askedModeSchema } from './session-answer.ts';

const email = z.email().max(254);
/** Any characters, no composition rules (NIST 800-63B 5.1.1.2); the least length is auth's rule, and at sign-in it would tell too much. */
const password = z.string().min(1).max(200);

export const loginBody = z.object({ email, password, mode: askedModeSchema.optional() });
export const registerBody = z.object({
  email,
  password: password.min(8, 'at least 8 characters'),
  name: words(100),
  mode: askedModeSchema.optional(),
});
/** A password, with a code where there is a second factor; or a passkey's answer to a challenge. */
export const reauthenticateBody = z
  .object({ password: password.optional(), ...stepUpFields })
  .refine((body) => (body.password === undefined) !== (body.challenge === undefined || body.response === undefined), {
    message: 'password, or challenge and response',
  })
  .meta({ oneOf: [{ required: ['password'] }, { required: ['challenge', 'response'] }] });
