import type { MessageInitShape } from '@bufbuild/protobuf';
import type { LogoutRequest, LogoutResponseSchema } from '@cloakroom/contracts';
import type { Auth } from './auth.ts';
import { liveSession } from './live-session.ts';
import { endSession } from './revocations.ts';

/** Ends the session by its handle: a rotation that races it cannot carry it over. A token of no live session is signed out already. */
export async function logout(auth: Auth, request: LogoutRequest): Promise<MessageInitShape<typeof LogoutResponseSchema>> {
  const session = await liveSession(auth, request.token, auth.clock.nowMs());
  if (session !== undefined) await endSession(auth, session);
  return {};
}
