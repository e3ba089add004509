import { isSelfContained, problem, type Problem } from '@cloakroom/contracts';
import type { Cause } from '@cloakroom/event-log';
import {
  evolve,
  keyOfHandle,
  limits,
  type LiveSession,
  makeToken,
  newSession,
  noSession,
  secretBytes,
  type SessionRecord,
  tagOf,
} from '@cloakroom/session';
import type { Auth } from '../auth.ts';
import { globalEpoch } from '../revocation/epochs.ts';
import { newUuid } from '../database/ids.ts';
import { recordNotice } from '../accounts/notices.ts';
import { endSession, recordRevocation } from '../revocation/revocations.ts';
import type { SignIn } from './sign-in.ts';
import { isStillProven } from '../accounts/still-proven.ts';

export interface StartedSession {
  /** For the browser alone; '' where signed tokens carry the session. */
  readonly token: string;
  readonly atMs: number;
  readonly session: SessionRecord;
  readonly endedOldest: boolean;
}

/**
 * Creates the session of a person who has just proved the password. Returns `session_ended` when all of the person's sessions were ended meanwhile.
 */
export async function startUserSession(auth: Auth, cause: Cause, signIn: SignIn): Promise<StartedSession | Problem> {
  const subject = signIn.account.id;
  const tag = tagOf(subject);
  const endedOldest = await makeRoom(auth, cause, tag, subject, signIn.before.live);
  const nowMs = auth.clock.nowMs();
  const event = {
    kind: 'SignedIn',
    handle: newUuid(auth),
    subject,
    claimedGuestCart: signIn.claimedGuestCart,
    atMs: nowMs,
  } as const;
  const { token, key } = isSelfContained(signIn.mode)
    ? { token: '', key: keyOfHandle(tag, event.handle) }
    : makeToken({ region: auth.region, tag, secret: auth.random(secretBytes) }, auth.macKeys);
  const created = await auth.store.create(
    newSession(evolve(noSession, event) as LiveSession, {
      key,
      mode: signIn.mode,
      device: signIn.device,
      region: auth.region,
      epoch: signIn.epoch,
      globalEpoch: await globalEpoch(auth.database),
      amr: signIn.amr ?? '',
    }),
    limits.sessionCountMax,
    nowMs,
  );
  if (created === 'tombstoned') return problem('session_ended');
  // With parallel sign-ins the store ended one more session. It is dead in the store already; the database and the other services must hear of it
  // too.
  if (created.ended.length > 0) {
    await auth.outbox.commit(async (trx) => {
      for (const ended of created.ended) await recordRevocation(trx, cause, ended, 'session', nowMs);
      await recordNotice(trx, subject, 'oldest_ended', nowMs);
    });
  }
  // Checked after the session exists (still-proven.ts), since the password or a factor may have changed meanwhile.
  if (!(await isStillProven(auth.database, signIn.account))) {
    await endSession(auth, cause, created.session);
    return problem('session_ended');
  }
  return { token, atMs: nowMs, session: created.session, endedOldest: endedOldest || created.ended.length > 0 };
}

/**
 * Runs before the new session is created, so that no session is ever ended in the store alone. The browser's own old session goes first, since it
 * ends with this sign-in anyway.
 * @returns whether a session of another browser was ended
 */
async function makeRoom(auth: Auth, cause: Cause, tag: string, subject: string, own: SessionRecord | undefined): Promise<boolean> {
  const sessions = await auth.store.list(tag, subject, auth.clock.nowMs());
  const idleLongestFirst = sessions.toReversed();
  const surplus = Math.max(0, sessions.length - limits.sessionCountMax + 1);
  const leaving = [
    ...idleLongestFirst.filter((session) => session.handle === own?.handle),
    ...idleLongestFirst.filter((session) => session.handle !== own?.handle),
  ].slice(0, surplus);
  for (const session of leaving) {
    const others = session.handle !== own?.handle;
    await endSession(auth, cause, session, others ? (trx) => recordNotice(trx, subject, 'oldest_ended', auth.clock.nowMs()) : undefined);
  }
  return leaving.some((session) => session.handle !== own?.handle);
}
