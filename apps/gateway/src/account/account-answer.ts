/** An account as its person, or an administrator, may read it, as JSON. */
import type { Passkey } from '@cloakroom/contracts';
import { z } from 'zod';
import { isoOf } from '../session/session-answer.ts';

const instant = z.iso.datetime();

export const passkeySchema = z
  .object({ passkeyId: z.string(), name: z.string(), createdAt: instant, lastUsedAt: instant.optional() })
  .meta({ id: 'Passkey' });

export const factorsSchema = z
  .object({ totp: z.object({ active: z.boolean() }), recoveryCodesLeft: z.int(), passkeys: z.array(passkeySchema) })
  .meta({ id: 'Factors' });

/** Each change of a factor offers to end the other sessions (ASVS 5.0 7.4.3). */
const otherSessions = z.int().meta({ description: 'How many other sessions this person has. DELETE /api/session/devices ends them.' });

export const totpSecretSchema = z.object({ secret: z.string(), uri: z.string() }).meta({ id: 'TotpSecret' });
export const recoveryCodesSchema = z
  .object({ recoveryCodes: z.array(z.string()).meta({ description: 'Each is good once. They are shown this once.' }), otherSessions })
  .meta({ id: 'RecoveryCodes' });
export const factorRemovedSchema = z.object({ otherSessions }).meta({ id: 'FactorRemoved' });
export const addedPasskeySchema = passkeySchema
  .extend({
    recoveryCodes: z
      .array(z.string())
      .optional()
      .meta({ description: 'With the first second factor of an account. They are shown this once.' }),
    otherSessions,
  })
  .meta({ id: 'AddedPasskey' });
export const passkeyOptionsSchema = z
  .object({ challenge: z.string(), options: z.looseObject({ challenge: z.string() }) })
  .meta({ id: 'PasskeyOptions', description: '`options` go to navigator.credentials. `challenge` comes back with its answer.' });
const noticeSchema = z.object({ at: instant, kind: z.string(), text: z.string() }).meta({ id: 'AccountNotice' });
export const noticesSchema = z.object({ items: z.array(noticeSchema) }).meta({ id: 'Notices' });
const userSchema = z
  .object({
    userId: z.string(),
    name: z.string(),
    email: z.string(),
    role: z.enum(['admin', 'customer']),
    disabled: z.boolean(),
    sessions: z.int().meta({ description: 'How many sessions of this person are live.' }),
  })
  .meta({ id: 'User' });
export const usersSchema = z.object({ items: z.array(userSchema) }).meta({ id: 'Users' });

export const passkeyBody = ({ passkeyId, name, createdAtMs, lastUsedAtMs }: Passkey): z.output<typeof passkeySchema> => ({
  passkeyId,
  name,
  createdAt: isoOf(createdAtMs),
  ...(lastUsedAtMs > 0n && { lastUsedAt: isoOf(lastUsedAtMs) }),
});

export const passkeyOptionsBody = (given: { challenge: string; options: string }): { challenge: string; options: unknown } => ({
  challenge: given.challenge,
  options: JSON.parse(given.options),
});
