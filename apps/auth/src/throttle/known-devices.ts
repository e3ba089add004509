/**
 * Known devices: which browsers have proved which account's password. It decides one thing only, whose failures a failed proof is counted
 * with (throttle.ts); it is no factor and no session, so signing out leaves it as it is.
 *
 * What a thief of the cookie gets: ten guesses in 15 minutes of the device's own, beside the ten that any stranger has.
 * Kept in the database and not in the sessions' Redis: a wiped Redis must not lock people out on top of signing them out.
 */
import { makeKnownDevice, parseKnownDevice, secretBytes, type SessionRecord } from '@cloakroom/session';
import type { Transaction } from 'kysely';
import type { Auth } from '../auth.ts';
import type { AuthSchema } from '../database/migrations.ts';
import { recordNotice } from '../accounts/notices.ts';
import type { Database } from '../database/outbox.ts';
import type { Known } from './throttle.ts';

/** A browser that nobody signed in with for half a year is as strange as any other. */
const lifeMs = 180 * 24 * 60 * 60 * 1000;
/** Twice the sessions that an account can have; each more is ten guesses more. The one used longest ago is forgotten. */
const deviceCountMax = 20;

/** The name by which this device's failures are counted; undefined where the cookie is not this account's, forged, forgotten or not there. */
export async function knownDeviceOf(auth: Auth, cookie: string, subject: string | undefined): Promise<string | undefined> {
  const device = parseKnownDevice(cookie, auth.macKeys);
  if (device === undefined) return undefined;
  // Looked for whether or not the account is the one asked for, and whether or not that exists: the time must not tell.
  const row = await auth.database
    .selectFrom('known_devices')
    .select('subject')
    .where('hash', '=', device.hash)
    .where('forget_after_ms', '>', auth.clock.nowMs())
    .executeTakeFirst();
  return row !== undefined && row.subject === subject && device.subject === subject ? device.hash : undefined;
}

/**
 * By what this account knows the browser: its cookie, or a session of it that lives.
 * @param subject the account that is being proved; undefined when there is none
 */
export async function knownFrom(
  auth: Auth,
  cookie: string,
  live: Pick<SessionRecord, 'handle' | 'subject'> | undefined,
  subject: string | undefined,
): Promise<Known | 'stranger'> {
  const device = await knownDeviceOf(auth, cookie, subject);
  if (device !== undefined) return { by: 'device', name: device };
  return subject !== undefined && live?.subject === subject ? { by: 'session', name: live.handle } : 'stranger';
}

/**
 * After the password was proved. @returns the cookie, the same or a new one: setting it again moves its end
 * @param options.isNew the account has just been made: its owner need not be told of the first device
 */
export async function rememberDevice(
  auth: Auth,
  subject: string,
  cookie: string,
  options: { readonly isNew?: boolean } = {},
): Promise<string> {
  const nowMs = auth.clock.nowMs();
  const forgetAfterMs = nowMs + lifeMs;
  const known = await knownDeviceOf(auth, cookie, subject);
  if (known !== undefined) {
    await auth.database
      .updateTable('known_devices')
      .set({ used_at_ms: nowMs, forget_after_ms: forgetAfterMs })
      .where('hash', '=', known)
      .execute();
    return cookie;
  }
  const made = makeKnownDevice(subject, auth.random(secretBytes), auth.macKeys);
  await auth.outbox.commit(async (trx) => {
    await trx.insertInto('known_devices').values({ hash: made.hash, subject, used_at_ms: nowMs, forget_after_ms: forgetAfterMs }).execute();
    await forgetSurplus(trx, subject);
    if (options.isNew !== true) await recordNotice(trx, subject, 'new_device', nowMs);
  });
  return made.cookie;
}

/** With a new password: whoever knew the old one is a stranger. The caller's own browser is remembered again when it next signs in. */
export async function forgetDevices(trx: Transaction<AuthSchema>, subject: string): Promise<void> {
  await trx.deleteFrom('known_devices').where('subject', '=', subject).execute();
}

export async function pruneDevices(database: Database, nowMs: number): Promise<number> {
  const { numDeletedRows } = await database.deleteFrom('known_devices').where('forget_after_ms', '<=', nowMs).executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

async function forgetSurplus(trx: Transaction<AuthSchema>, subject: string): Promise<void> {
  const surplus = await trx
    .selectFrom('known_devices')
    .select('hash')
    .where('subject', '=', subject)
    .orderBy('used_at_ms', 'desc')
    .orderBy('hash')
    .offset(deviceCountMax)
    .limit(deviceCountMax)
    .execute();
  if (surplus.length === 0) return;
  const hashes = surplus.map((row) => row.hash);
  await trx.deleteFrom('known_devices').where('hash', 'in', hashes).execute();
}
