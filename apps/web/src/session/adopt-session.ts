import type { Session } from '@cloakroom/contracts/http';
import type { QueryClient } from '@tanstack/react-query';
import { keys } from '../api/shop.tsx';

/** An earlier question about the session would answer for the previous person, and may return last. So the page cancels it first. */
export async function adoptSession(queryClient: QueryClient, session: Session): Promise<void> {
  await queryClient.cancelQueries({ queryKey: keys.session });
  // These belong to the shop, not to the session. Only GET /api/session tells them.
  queryClient.setQueryData<Session>(keys.session, (before) => ({
    ...(before?.modes && { modes: before.modes }),
    ...(before?.observatory && { observatory: before.observatory }),
    ...(before?.region && { region: regionAfter(before.region, before.handle === session.handle, session.state) }),
    ...session,
  }));
}

/** A step-up keeps the session, and so its home. A session that begins lives in the region of this page. */
function regionAfter(region: NonNullable<Session['region']>, isSame: boolean, state: Session['state']): NonNullable<Session['region']> {
  if (state === 'none') return { here: region.here };
  return isSame ? region : { here: region.here, home: region.here, homeReachable: true };
}
