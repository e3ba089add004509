import type { MessageInitShape } from '@bufbuild/protobuf';
import { type ConfirmTotpRequest, isProblem, problem, type Problem, type RecoveryCodesSchema } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/mesh';
import type { Auth } from '../auth.ts';
import { recordNotice } from '../accounts/notices.ts';
import { ownAccount } from '../accounts/own-account.ts';
import { replaceRecoveryCodes } from './recovery-codes.ts';
import { raiseProofVersion } from '../accounts/still-proven.ts';
import { totpStep } from './totp.ts';

/** A secret that its owner has not typed in by then may have been photographed by someone else. */
const pendingLifetimeMs = 15 * 60_000;

/**
 * Activates the secret once the app shows a code of it. From then on a password alone signs nobody in. It makes new recovery codes, and the code that
 * confirmed is spent.
 */
export async function confirmTotp(
  auth: Auth,
  ctx: PersonContext,
  request: ConfirmTotpRequest,
): Promise<MessageInitShape<typeof RecoveryCodesSchema> | Problem> {
  const own = await ownAccount(auth, ctx);
  if (isProblem(own)) return own;
  const subject = own.account.id;
  const pending = await auth.database.selectFrom('totp').selectAll().where('subject', '=', subject).executeTakeFirst();
  if (pending?.active === 1) return problem('factor_exists');
  const nowMs = auth.clock.nowMs();
  if (pending === undefined || nowMs - pending.created_at_ms > pendingLifetimeMs) return problem('challenge_expired');
  const attempt = await auth.throttle.begin({ at: 'totp-setup', of: subject, address: '', known: { by: 'account', name: subject } });
  if (isProblem(attempt)) return attempt;
  const step = totpStep(auth, subject, pending.secret, request.code.trim());
  if (step === undefined) return problem('invalid_second_factor');
  await attempt.succeeded();
  const codes = await auth.outbox.commit(async (trx) => {
    const { numUpdatedRows } = await trx
      .updateTable('totp')
      .set({ active: 1, last_step: step })
      .where('subject', '=', subject)
      .where('active', '=', 0)
      .where('secret', '=', pending.secret)
      .executeTakeFirst();
    if (numUpdatedRows !== 1n) return undefined;
    await raiseProofVersion(trx, subject);
    await recordNotice(trx, subject, 'factor_added', nowMs);
    return replaceRecoveryCodes(auth, trx, subject);
  });
  return codes === undefined ? problem('challenge_expired') : { codes, otherSessions: own.otherSessions };
}
