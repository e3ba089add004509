import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ListDevicesResponseSchema } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/platform';
import { tagOf, type SessionRecord } from '@cloakroom/session';
import type { Auth } from './auth.ts';
import { globalEpoch } from './epochs.ts';
import { wireModes } from './session-view.ts';

export async function listDevices(auth: Auth, ctx: PersonContext): Promise<MessageInitShape<typeof ListDevicesResponseSchema>> {
  const sessions = await sessionsOf(auth, ctx.identity.subject);
  return {
    devices: sessions.map((session) => ({
      handle: session.handle,
      current: session.handle === ctx.identity.handle,
      device: session.device,
      mode: wireModes[session.mode],
      createdAtMs: BigInt(session.createdAtMs),
      lastSeenAtMs: BigInt(session.lastSeenAtMs),
    })),
  };
}

/** The user's live sessions, newest activity first; at most 10. */
export async function sessionsOf(auth: Auth, subject: string): Promise<SessionRecord[]> {
  const lowest = await globalEpoch(auth.database);
  const sessions = await auth.store.list(tagOf(subject), subject, auth.clock.nowMs());
  return sessions.filter((session) => session.globalEpoch >= lowest);
}
