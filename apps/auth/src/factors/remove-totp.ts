import type { MessageInitShape } from '@bufbuild/protobuf';
import { type FactorChangedSchema, isProblem, problem, type Problem } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/mesh';
import type { Auth } from '../auth.ts';
import { recordNotice } from '../accounts/notices.ts';
import { ownAccount } from '../accounts/own-account.ts';
import { forgetCodesOfNothing } from './second-factors.ts';
import { raiseProofVersion } from '../accounts/still-proven.ts';

/** Also deletes a secret that was never confirmed; that gives no notice. */
export async function removeTotp(auth: Auth, ctx: PersonContext): Promise<MessageInitShape<typeof FactorChangedSchema> | Problem> {
  const own = await ownAccount(auth, ctx);
  if (isProblem(own)) return own;
  const subject = own.account.id;
  const removed = await auth.outbox.commit(async (trx) => {
    const row = await trx.deleteFrom('totp').where('subject', '=', subject).returning('active').executeTakeFirst();
    if (row?.active === 1) {
      await forgetCodesOfNothing(trx, subject);
      await raiseProofVersion(trx, subject);
      await recordNotice(trx, subject, 'factor_removed', auth.clock.nowMs());
    }
    return row !== undefined;
  });
  return removed ? { otherSessions: own.otherSessions } : problem('not_found');
}
