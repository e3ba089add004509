/**
 * Known devices are browsers that have proved an account's password. They decide one thing only: which count a failed proof goes to (throttle.ts). A
 * known device is neither a factor nor a session, so signing out does not change it.
 *
 * A thief of the cookie gets ten guesses in 15 minutes of the device's own, beside the ten that any stranger has. The rows are in the database and
 * not in the sessions' Redis, since a wiped Redis must not lock people out on top of signing them out.
 */
import { makeKnownDevice, parseKnownDevice, secretBytes, type SessionRecord } from '@cloakroom/session';
import type { Transaction } from 'kysely';
import type { Auth } from '../auth.ts';
import type { AuthSchema } from '../database/migrations.ts';
import { recordNotice } from '../accounts/notices.ts';
import type { Database } from '../database/outbox.ts';
import type { Known } from './throttle.ts';

/** After half a year without a sign-in, auth treats the browser as a stranger. */
const lifeMs = 180 * 24 * 60 * 60 * 1000;
/** Twice the sessions that an account can have; each further device adds ten guesses. The least recently used is forgotten. */
const deviceCountMax = 20;

/** The name under which this device's failures are counted. Undefined when the cookie is missing, forged, forgotten or another account's. */
export async function knownDeviceOf(auth: Auth, cookie: string, subject: string | undefined): Promise<string | undefined> {
  const device = parseKnownDevice(cookie, auth.macKeys);
  if (device === undefined) return undefined;
  // Queries in every case, even for another account or none, so that the time tells nothing.
  const row = await auth.database
    .selectFrom('known_devices')
    .select('subject')
    .where('hash', '=', device.hash)
    .where('forget_after_ms', '>', auth.clock.nowMs())
    .executeTakeFirst();
  return row !== undefined && row.subject === subject && device.subject === subject ? device.hash : undefined;
}

/**
 * How this account knows the browser: by its cookie, or by a live session of the account.
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
 * Runs after the password was proved.
 * @param options.isNew the account has just been made, so its owner gets no notice of the first device
 * @returns the cookie, the same or a new one: setting it again moves its end
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

/** Runs with a new password: anyone who knew the old one becomes a stranger. The caller's own browser is remembered again when it next signs in. */
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
