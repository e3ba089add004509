import type { MessageInitShape } from '@bufbuild/protobuf';
import type { EndOtherDevicesResponseSchema } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/platform';
import type { Auth } from './auth.ts';
import { sessionsOf } from './list-devices.ts';
import { endSession } from './revocations.ts';

/** A session that begins while this runs is not among them: it proved the password just now. */
export async function endOtherDevices(auth: Auth, ctx: PersonContext): Promise<MessageInitShape<typeof EndOtherDevicesResponseSchema>> {
  const others = (await sessionsOf(auth, ctx.identity.subject)).filter(({ handle }) => handle !== ctx.identity.handle);
  for (const session of others) await endSession(auth, session);
  return { ended: others.length };
}
