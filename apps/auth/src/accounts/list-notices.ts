import type { MessageInitShape } from '@bufbuild/protobuf';
import { isProblem, type ListNoticesResponseSchema, type Problem } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/mesh';
import type { Auth } from '../auth.ts';
import { ownSessions } from '../sessions/list-devices.ts';
import { noticesOf } from './notices.ts';

export async function listNotices(auth: Auth, ctx: PersonContext): Promise<MessageInitShape<typeof ListNoticesResponseSchema> | Problem> {
  const sessions = await ownSessions(auth, ctx);
  if (isProblem(sessions)) return sessions;
  const notices = await noticesOf(auth.database, ctx.identity.subject);
  return { notices: notices.map(({ atMs, kind, text }) => ({ atMs: BigInt(atMs), kind, text })) };
}
