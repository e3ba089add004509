import type { Session } from '@cloakroom/contracts/http';
import type { QueryClient } from '@tanstack/react-query';
import { keys } from '../api/shop.tsx';

/** A question asked before signing in or out would answer for the one before, and may come back last: it is called off first. */
export async function adoptSession(queryClient: QueryClient, session: Session): Promise<void> {
  await queryClient.cancelQueries({ queryKey: keys.session });
  // The modes belong to the shop, not to the session, and only GET /api/session tells them.
  queryClient.setQueryData<Session>(keys.session, (before) => ({ ...(before?.modes && { modes: before.modes }), ...session }));
}
