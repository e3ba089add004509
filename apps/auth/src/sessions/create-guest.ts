import type { MessageInitShape } from '@bufbuild/protobuf';
import type { CreateGuestRequest, Problem, SessionIssuedSchema } from '@cloakroom/contracts';
import { evolve, limits, makeToken, newSession, noSession, secretBytes, tagFrom, type LiveSession } from '@cloakroom/session';
import type { Auth } from '../auth.ts';
import { globalEpoch } from '../revocation/epochs.ts';
import { newUuid } from '../database/ids.ts';
import { guestMode, viewOf } from './session-view.ts';

/** A guest has no row in the database, only a session in the store. */
export async function createGuest(
  auth: Auth,
  request: CreateGuestRequest,
): Promise<MessageInitShape<typeof SessionIssuedSchema> | Problem> {
  // A session costs its requester nothing and holds memory for days.
  const refused = await auth.throttle.guest(request.remoteAddress);
  if (refused !== undefined) return refused;
  const nowMs = auth.clock.nowMs();
  const event = { kind: 'GuestStarted', handle: newUuid(auth), subject: `g_${newUuid(auth)}`, atMs: nowMs } as const;
  const { token, key } = makeToken({ region: auth.region, tag: tagFrom(auth.random(2)), secret: auth.random(secretBytes) }, auth.macKeys);
  const created = await auth.store.create(
    newSession(evolve(noSession, event) as LiveSession, {
      key,
      mode: guestMode(auth),
      device: request.device?.label ?? '',
      region: auth.region,
      globalEpoch: await globalEpoch(auth.database),
    }),
    limits.sessionCountMax,
    nowMs,
  );
  if (created === 'tombstoned') throw new Error('a new guest is dead already: the source of randomness repeats itself');
  return { token, session: viewOf(auth, created.session, undefined) };
}
