import type { MessageInitShape } from '@bufbuild/protobuf';
import { isProblem, problem, type Problem, type RevokeUserRequest, type RevokeUserResponseSchema } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/mesh';
import { administrator } from './admins.ts';
import type { Auth } from '../auth.ts';
import { raiseEpoch } from '../revocation/epochs.ts';
import { recordNotice } from '../accounts/notices.ts';

/** Ends every session of the user; the account stays as it is. */
export async function revokeUser(
  auth: Auth,
  ctx: PersonContext,
  request: RevokeUserRequest,
): Promise<MessageInitShape<typeof RevokeUserResponseSchema> | Problem> {
  const admin = await administrator(auth, ctx);
  if (isProblem(admin)) return admin;
  const subject = request.userId;
  const known = await auth.database.selectFrom('accounts').select('id').where('id', '=', subject).executeTakeFirst();
  if (known === undefined) return problem('not_found');
  await raiseEpoch(auth, ctx, subject, (trx) => recordNotice(trx, subject, 'account_sessions_ended', auth.clock.nowMs()));
  auth.log.info({ subject, by: admin.id }, 'all sessions of a user were ended');
  return {};
}
