/**
 * Tells an account's owner what happened to it (ASVS 5.0 6.3.7). The transaction of the change also writes the notice, so no change goes without one.
 * A notice never holds a secret, an address or the name of the actor. Auth has no way to send it elsewhere (e-mail).
 */
import type { Transaction } from 'kysely';
import type { AuthSchema } from '../database/migrations.ts';
import type { Database } from '../database/outbox.ts';

const texts = {
  oldest_ended: 'You were signed in on too many devices. The one that was idle longest was signed out.',
  refresh_reused: 'A token of one of your sessions was used twice. That session was ended. If you do not know why, change your password.',
  password_changed: 'Your password was changed.',
  email_changed: 'Your e-mail address was changed.',
  factor_added: 'A way to prove who you are was added to your account.',
  factor_removed: 'A way to prove who you are was removed from your account.',
  account_sessions_ended: 'All sessions of your account were ended.',
  new_device: 'Somebody signed in to your account on a device that was not seen before.',
  administrator_granted: 'You are an administrator of this shop from now on.',
  administrator_revoked: 'You are no longer an administrator of this shop.',
  recovery_code_used: 'A recovery code of your account was used.',
} as const;

export type NoticeKind = keyof typeof texts;

/** Notices are read newest first. Auth deletes all but a person's 50 newest. */
export const noticeCountMax = 50;

export interface Notice {
  readonly atMs: number;
  readonly kind: NoticeKind;
  readonly text: string;
}

/**
 * Repeating it with the same moment changes nothing.
 * @param codesLeft of recovery codes: the smaller number stays, if two are used within the same millisecond
 */
export async function recordNotice(
  trx: Transaction<AuthSchema>,
  subject: string,
  kind: NoticeKind,
  atMs: number,
  codesLeft?: number,
): Promise<void> {
  await trx
    .insertInto('notices')
    .values({ subject, kind, at_ms: atMs, codes_left: codesLeft ?? null })
    .onConflict((conflict) => {
      const same = conflict.columns(['subject', 'at_ms', 'kind']);
      return codesLeft === undefined ? same.doNothing() : same.doUpdateSet({ codes_left: codesLeft });
    })
    .execute();
  const kept = await trx
    .selectFrom('notices')
    .select('at_ms')
    .where('subject', '=', subject)
    .orderBy('at_ms', 'desc')
    .offset(noticeCountMax - 1)
    .limit(1)
    .executeTakeFirst();
  if (kept !== undefined) await trx.deleteFrom('notices').where('subject', '=', subject).where('at_ms', '<', kept.at_ms).execute();
}

/** Newest first. */
export async function noticesOf(database: Database, subject: string): Promise<Notice[]> {
  const rows = await database
    .selectFrom('notices')
    .select(['at_ms', 'kind', 'codes_left'])
    .where('subject', '=', subject)
    .orderBy('at_ms', 'desc')
    .orderBy('kind')
    .limit(noticeCountMax)
    .execute();
  return rows.flatMap(({ at_ms, kind, codes_left }) => (isKind(kind) ? [{ atMs: at_ms, kind, text: textOf(kind, codes_left) }] : []));
}

function textOf(kind: NoticeKind, codesLeft: number | null): string {
  if (codesLeft === null) return texts[kind];
  const left = codesLeft === 0 ? 'None is left: make new ones.' : codesLeft === 1 ? '1 is left.' : `${codesLeft} are left.`;
  return `${texts[kind]} ${left}`;
}

/** A newer version may have written kinds that this one does not know. */
const isKind = (kind: string): kind is NoticeKind => Object.hasOwn(texts, kind);
