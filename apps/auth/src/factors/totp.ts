/**
 * One-time codes (RFC 6238): 6 digits, 30 s, SHA-1, as every authenticator app takes them. A code counts once: the statement that checks it also
 * raises the last counted step. So neither a replay nor a concurrent request passes with the same code.
 */
import { Secret, TOTP } from 'otpauth';
import type { Auth } from '../auth.ts';
import type { Database } from '../database/outbox.ts';

/** 160 bits (RFC 4226 4 R6). */
const secretBytes = 20;
const periodS = 30;
/** One step before and after allows for the telephone's clock and the time to type (RFC 6238 5.2). */
const windowSteps = 1;

export const issuer = 'Cloakroom';

const contextOf = (subject: string): string => `totp:${subject}`;

/** @returns the secret as base32 for the person, and sealed for the database */
export function newTotpSecret(auth: Auth, subject: string): { readonly base32: string; readonly sealed: string } {
  const bytes = Uint8Array.from(auth.random(secretBytes));
  const { base32 } = new Secret({ buffer: bytes.buffer });
  return { base32, sealed: auth.sealer.seal(base32, contextOf(subject)) };
}

/** The content of a QR code: otpauth://totp/... */
export const totpUri = (base32: string, label: string): string => generator(base32, label).toString();

/** The time step of a right code; undefined for any other. The comparison takes constant time (otpauth). */
export function totpStep(auth: Auth, subject: string, sealed: string, code: string): number | undefined {
  if (!/^\d{6}$/.test(code)) return undefined;
  const nowMs = auth.clock.nowMs();
  const delta = generator(auth.sealer.open(sealed, contextOf(subject))).validate({ token: code, timestamp: nowMs, window: windowSteps });
  return delta === null ? undefined : Math.floor(nowMs / (periodS * 1000)) + delta;
}

/** Whether this is a code of the person's app that has not counted before. */
export async function spendTotpCode(auth: Auth, subject: string, code: string): Promise<boolean> {
  const totp = await activeTotp(auth.database, subject);
  if (totp === undefined) return false;
  const step = totpStep(auth, subject, totp.secret, code);
  if (step === undefined) return false;
  const { numUpdatedRows } = await auth.database
    .updateTable('totp')
    .set({ last_step: step })
    .where('subject', '=', subject)
    .where('secret', '=', totp.secret)
    .where('last_step', '<', step)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

export const activeTotp = (database: Database, subject: string) =>
  database.selectFrom('totp').selectAll().where('subject', '=', subject).where('active', '=', 1).executeTakeFirst();

const generator = (base32: string, label = ''): TOTP =>
  new TOTP({ issuer, label, secret: Secret.fromBase32(base32), algorithm: 'SHA1', digits: 6, period: periodS });
