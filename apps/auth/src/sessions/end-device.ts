import type { MessageInitShape } from '@bufbuild/protobuf';
import { type EndDeviceRequest, type EndDeviceResponseSchema, isProblem, problem, type Problem } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/mesh';
import type { Auth } from '../auth.ts';
import { ownSessions } from './list-devices.ts';
import { endSession } from '../revocation/revocations.ts';

/** Looks among the person's own sessions only. Another person's handle gets the same answer as an invented one. */
export async function endDevice(
  auth: Auth,
  ctx: PersonContext,
  request: EndDeviceRequest,
): Promise<MessageInitShape<typeof EndDeviceResponseSchema> | Problem> {
  const sessions = await ownSessions(auth, ctx);
  if (isProblem(sessions)) return sessions;
  const session = sessions.find(({ handle }) => handle === request.handle);
  if (session === undefined) return problem('not_found');
  await endSession(auth, ctx, session);
  return {};
}
