import type { MessageInitShape } from '@bufbuild/protobuf';
import { type EnableUserRequest, type EnableUserResponseSchema, isProblem, problem, type Problem } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/mesh';
import { administrator } from './admins.ts';
import type { Auth } from '../auth.ts';

/** The person may sign in again; no session comes back. */
export async function enableUser(
  auth: Auth,
  ctx: PersonContext,
  request: EnableUserRequest,
): Promise<MessageInitShape<typeof EnableUserResponseSchema> | Problem> {
  const admin = await administrator(auth, ctx);
  if (isProblem(admin)) return admin;
  const { numUpdatedRows } = await auth.database
    .updateTable('accounts')
    .set({ disabled: 0 })
    .where('id', '=', request.userId)
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) return problem('not_found');
  auth.log.info({ subject: request.userId, by: admin.id }, 'an account was enabled');
  return {};
}
