import type { MessageInitShape } from '@bufbuild/protobuf';
import { isProblem, problem, type Problem, type RecoveryCodesSchema } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/mesh';
import type { Auth } from '../auth.ts';
import { recordNotice } from '../accounts/notices.ts';
import { ownAccount } from '../accounts/own-account.ts';
import { replaceRecoveryCodes } from './recovery-codes.ts';
import { hasAny, secondFactorsOf } from './second-factors.ts';
import { raiseProofVersion } from '../accounts/still-proven.ts';

/** Returns `not_found` without a second factor, since there is nothing to recover. */
export async function newRecoveryCodes(auth: Auth, ctx: PersonContext): Promise<MessageInitShape<typeof RecoveryCodesSchema> | Problem> {
  const own = await ownAccount(auth, ctx);
  if (isProblem(own)) return own;
  const subject = own.account.id;
  const codes = await auth.outbox.commit(async (trx) => {
    if (!hasAny(await secondFactorsOf(trx, subject))) return undefined;
    await raiseProofVersion(trx, subject);
    await recordNotice(trx, subject, 'factor_added', auth.clock.nowMs());
    return replaceRecoveryCodes(auth, trx, subject);
  });
  return codes === undefined ? problem('not_found') : { codes, otherSessions: own.otherSessions };
}
