import type { MessageInitShape } from '@bufbuild/protobuf';
import { type FactorChangedSchema, isProblem, problem, type Problem, type RemovePasskeyRequest } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/mesh';
import type { Auth } from '../auth.ts';
import { recordNotice } from '../accounts/notices.ts';
import { ownAccount } from '../accounts/own-account.ts';
import { forgetCodesOfNothing } from './second-factors.ts';
import { raiseProofVersion } from '../accounts/still-proven.ts';

/** Looks among the person's own passkeys only. Another person's id gets the same answer as an invented one. */
export async function removePasskey(
  auth: Auth,
  ctx: PersonContext,
  request: RemovePasskeyRequest,
): Promise<MessageInitShape<typeof FactorChangedSchema> | Problem> {
  const own = await ownAccount(auth, ctx);
  if (isProblem(own)) return own;
  const subject = own.account.id;
  const removed = await auth.outbox.commit(async (trx) => {
    const { numDeletedRows } = await trx
      .deleteFrom('passkeys')
      .where('passkey_id', '=', request.passkeyId)
      .where('subject', '=', subject)
      .executeTakeFirst();
    if (numDeletedRows !== 1n) return false;
    await forgetCodesOfNothing(trx, subject);
    await raiseProofVersion(trx, subject);
    await recordNotice(trx, subject, 'factor_removed', auth.clock.nowMs());
    return true;
  });
  return removed ? { otherSessions: own.otherSessions } : problem('not_found');
}
