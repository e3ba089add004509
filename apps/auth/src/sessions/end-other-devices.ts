import type { MessageInitShape } from '@bufbuild/protobuf';
import { type EndOtherDevicesResponseSchema, isProblem, type Problem } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/mesh';
import type { Auth } from '../auth.ts';
import { ownSessions } from './list-devices.ts';
import { endSession } from '../revocation/revocations.ts';

/** Spares a session that begins while this runs, since it has just proved the password. */
export async function endOtherDevices(
  auth: Auth,
  ctx: PersonContext,
): Promise<MessageInitShape<typeof EndOtherDevicesResponseSchema> | Problem> {
  const sessions = await ownSessions(auth, ctx);
  if (isProblem(sessions)) return sessions;
  const others = sessions.filter(({ handle }) => handle !== ctx.identity.handle);
  for (const session of others) await endSession(auth, ctx, session);
  return { ended: others.length };
}
