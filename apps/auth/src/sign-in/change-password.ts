/**
 * Sets a new password and gives the device that set it a new token. A concurrent sign-in by the old password gets no session (still-proven.ts).
 * Other sessions live on unless the person says otherwise (ASVS 5.0 7.4.3). They are ended one by one after the commit, so that none that began by
 * the old password is missed.
 */
import { type ChangePasswordRequest, isProblem, problem, type Problem } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/mesh';
import { tagOf } from '@cloakroom/session';
import { accountById, passwordSchema, violations } from '../accounts/accounts.ts';
import type { Auth } from '../auth.ts';
import { forgetDevices } from '../throttle/known-devices.ts';
import { recordNotice } from '../accounts/notices.ts';
import { endSession } from '../revocation/revocations.ts';
import { type Issued, issueTokens } from '../tokens/issue-tokens.ts';
import { ownSession, rotateOwn } from '../tokens/rotate-own.ts';
import { raiseProofVersion } from '../accounts/still-proven.ts';
import { weakPassword } from '../accounts/weak-passwords.ts';

export async function changePassword(auth: Auth, ctx: PersonContext, request: ChangePasswordRequest): Promise<Issued | Problem> {
  const given = passwordSchema.safeParse(request.password);
  if (!given.success) return problem('invalid_request', violations(given.error));
  const session = await ownSession(auth, ctx, request.token);
  if (isProblem(session)) return session;
  const account = await accountById(auth.database, session.subject);
  if (account === undefined) return problem('session_ended');
  const weak = weakPassword(given.data, account);
  if (weak !== undefined) return weak;
  const passwordHash = await auth.passwords.hash(given.data);
  if (isProblem(passwordHash)) return passwordHash;
  const rotated = await rotateOwn(auth, ctx, session, 'earlier', async (trx) => {
    await trx.updateTable('accounts').set({ password_hash: passwordHash }).where('id', '=', account.id).execute();
    await raiseProofVersion(trx, account.id);
    await forgetDevices(trx, account.id);
    await recordNotice(trx, account.id, 'password_changed', auth.clock.nowMs());
  });
  if (isProblem(rotated)) return rotated;
  if (request.endOthers) {
    const sessions = await auth.store.list(tagOf(account.id), account.id, auth.clock.nowMs());
    for (const other of sessions) if (other.handle !== session.handle) await endSession(auth, ctx, other);
  }
  return issueTokens(auth, rotated.session, account, rotated.token, rotated.atMs);
}
