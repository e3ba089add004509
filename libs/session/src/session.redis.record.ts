/** A record as the scripts take and return it: a list in the order of `recordFields`. */
import { recordFields } from './session.scripts.ts';
import type { SessionRecord, TokenMode } from './session.store.ts';

export function encode(r: SessionRecord): (string | number)[] {
  const who = [r.hash, r.tag, r.handle, r.subject, r.state, r.mode, r.epoch, r.globalEpoch];
  return [
    ...who,
    r.createdAtMs,
    r.authenticatedAtMs,
    r.lastSeenAtMs,
    r.idleExpiresAtMs,
    r.expiresAtMs,
    r.device,
    r.claimedGuestCart,
    r.region,
    r.generation,
    r.rotatedAtMs,
    r.amr,
  ];
}

export function decode(values: unknown): SessionRecord {
  if (!Array.isArray(values) || values.length !== recordFields.length) throw new Error('a session record has another shape');
  const [
    hash,
    tag,
    handle,
    subject,
    state,
    mode,
    epoch,
    globalEpoch,
    created,
    authenticated,
    seen,
    idle,
    expires,
    device,
    cart,
    region,
    generation,
    rotated,
    amr,
  ] = values as string[];
  return {
    hash: hash!,
    tag: tag!,
    handle: handle!,
    subject: subject!,
    state: state === 'user' ? 'user' : 'guest',
    mode: mode as TokenMode,
    epoch: Number(epoch),
    globalEpoch: Number(globalEpoch),
    createdAtMs: Number(created),
    authenticatedAtMs: Number(authenticated),
    lastSeenAtMs: Number(seen),
    idleExpiresAtMs: Number(idle),
    expiresAtMs: Number(expires),
    device: device!,
    claimedGuestCart: cart!,
    region: region!,
    generation: Number(generation),
    rotatedAtMs: Number(rotated),
    amr: amr!,
  };
}
