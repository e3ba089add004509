import type { MessageInitShape } from '@bufbuild/protobuf';
import { isProblem, type Problem, type RevokeEverythingResponseSchema } from '@cloakroom/contracts';
import type { PersonContext, RequestContext } from '@cloakroom/mesh';
import { administrator } from './admins.ts';
import type { Auth } from '../auth.ts';
import { raiseGlobalEpoch } from '../revocation/epochs.ts';

type Answer = MessageInitShape<typeof RevokeEverythingResponseSchema>;

/** Ends every session there is by one number, the administrator's own among them. */
export async function revokeEverything(auth: Auth, ctx: PersonContext): Promise<Answer | Problem> {
  const admin = await administrator(auth, ctx);
  return isProblem(admin) ? admin : endAll(auth, ctx, admin.id);
}

/** For a holder of the operator's certificate; the policy of the rpc admits no other caller. */
export const revokeEverythingByOperator = (auth: Auth, ctx: RequestContext): Promise<Answer> => endAll(auth, ctx, 'operator');

async function endAll(auth: Auth, ctx: RequestContext, by: string): Promise<Answer> {
  const epoch = await raiseGlobalEpoch(auth, ctx);
  auth.log.warn({ epoch, by }, 'every session was ended');
  return { globalEpoch: BigInt(epoch) };
}
