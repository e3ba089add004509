import type { MessageInitShape } from '@bufbuild/protobuf';
import { type DisableUserRequest, type DisableUserResponseSchema, isProblem, problem, type Problem } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/mesh';
import { administrator } from './admins.ts';
import type { Auth } from '../auth.ts';
import { raiseEpoch } from '../revocation/epochs.ts';
import { recordNotice } from '../accounts/notices.ts';
import { raiseProofVersion } from '../accounts/still-proven.ts';

/**
 * One transaction closes the account, raises its epoch and voids sign-ins under way (still-proven.ts). Repeating it changes nothing, since no session
 * can have begun since. Administrators cannot close their own account: the last one would lock everybody out.
 */
export async function disableUser(
  auth: Auth,
  ctx: PersonContext,
  request: DisableUserRequest,
): Promise<MessageInitShape<typeof DisableUserResponseSchema> | Problem> {
  const admin = await administrator(auth, ctx);
  if (isProblem(admin)) return admin;
  const subject = request.userId;
  if (subject === admin.id) return problem('invalid_request', 'userId: is your own');
  const known = await auth.database.selectFrom('accounts').select('id').where('id', '=', subject).executeTakeFirst();
  if (known === undefined) return problem('not_found');
  await raiseEpoch(auth, ctx, subject, async (trx) => {
    await trx.updateTable('accounts').set({ disabled: 1 }).where('id', '=', subject).execute();
    await raiseProofVersion(trx, subject);
    await recordNotice(trx, subject, 'account_sessions_ended', auth.clock.nowMs());
  });
  auth.log.info({ subject, by: admin.id }, 'an account was disabled');
  return {};
}
