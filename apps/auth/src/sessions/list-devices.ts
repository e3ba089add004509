import type { MessageInitShape } from '@bufbuild/protobuf';
import { isProblem, type ListDevicesResponseSchema, problem, type Problem, tokenModeOf } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/mesh';
import { tagOf, type SessionRecord } from '@cloakroom/session';
import type { Auth } from '../auth.ts';
import { globalEpoch } from '../revocation/epochs.ts';

export async function listDevices(auth: Auth, ctx: PersonContext): Promise<MessageInitShape<typeof ListDevicesResponseSchema> | Problem> {
  const sessions = await ownSessions(auth, ctx);
  if (isProblem(sessions)) return sessions;
  return {
    devices: sessions.map((session) => ({
      handle: session.handle,
      current: session.handle === ctx.identity.handle,
      device: session.device,
      mode: tokenModeOf[session.mode],
      createdAtMs: BigInt(session.createdAtMs),
      lastSeenAtMs: BigInt(session.lastSeenAtMs),
    })),
  };
}

/**
 * Lists the person's live sessions, newest activity first; at most 10. The caller's own session must be among them: it may have ended after
 * auth issued the passport. The store shows that at once, so auth need not wait for the feed.
 */
export async function ownSessions(auth: Auth, { identity }: PersonContext): Promise<SessionRecord[] | Problem> {
  const lowest = await globalEpoch(auth.database);
  const sessions = await auth.store.list(tagOf(identity.subject), identity.subject, auth.clock.nowMs());
  const live = sessions.filter((session) => session.globalEpoch >= lowest);
  return live.some((session) => session.handle === identity.handle) ? live : problem('session_ended');
}
