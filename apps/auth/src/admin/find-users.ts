import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  emailLengthMax,
  type FindUsersRequest,
  type FindUsersResponseSchema,
  isProblem,
  problem,
  type Problem,
} from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/mesh';
import { tagOf } from '@cloakroom/session';
import { sql } from 'kysely';
import { administrator } from './admins.ts';
import type { Auth } from '../auth.ts';

/** The size of one page; an administrator who looks for one person types more. Each user costs one look into the store. */
const userCountMax = 20;

export async function findUsers(
  auth: Auth,
  ctx: PersonContext,
  request: FindUsersRequest,
): Promise<MessageInitShape<typeof FindUsersResponseSchema> | Problem> {
  const admin = await administrator(auth, ctx);
  if (isProblem(admin)) return admin;
  const query = request.query.trim();
  if (query.length > emailLengthMax) return problem('invalid_request', 'query: is too long');
  const part = `%${query.toLowerCase().replaceAll(/[\\%_]/g, '\\$&')}%`;
  const accounts = await auth.database
    .selectFrom('accounts')
    .selectAll()
    // The query names its escape character, since PostgreSQL has one by default and SQLite has none.
    .where(sql<boolean>`(id = ${query} or email like ${part} escape '\\' or lower(name) like ${part} escape '\\')`)
    .orderBy('created_at_ms', 'desc')
    .orderBy('id')
    .limit(userCountMax)
    .execute();
  const nowMs = auth.clock.nowMs();
  const users = accounts.map(async ({ id, name, email, role, disabled }) => ({
    userId: id,
    name,
    email,
    role,
    disabled: disabled === 1,
    sessions: (await auth.store.list(tagOf(id), id, nowMs)).length,
  }));
  return { users: await Promise.all(users) };
}
