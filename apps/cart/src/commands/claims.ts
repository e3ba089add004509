/**
 * Takes what auth claimed for a user and appends it to the guest cart's own log: there, and only there, is it in order with the guest's
 * commands. Auth's signature is verified, since whoever reaches the broker could otherwise take somebody's cart. A forged claim is refused,
 * counted and logged; a claim whose key cannot be fetched at the moment is neither, and waits.
 */
import { fromBinary } from '@bufbuild/protobuf';
import { IdentityEventSchema, isGuestSubject, isUserSubject, type IdentityEvent } from '@cloakroom/contracts';
import {
  publishInParts,
  RetryLater,
  traceHeaders,
  traceIdOfRecord,
  traceOfRecord,
  type LogRecord,
  type OutgoingRecord,
  type Subscription,
} from '@cloakroom/event-log';
import { verifyEvent, type KeyRing } from '@cloakroom/identity';
import { encodeEvent } from '../model/codec.ts';
import { claims } from '../metrics.ts';
import type { CartParts } from '../cart.dependencies.ts';

export const claimsGroup = 'cart-claims';

export function startClaims(
  parts: Pick<CartParts, 'eventLog' | 'topics' | 'clock' | 'log'> & { readonly keys: KeyRing },
  group: string = claimsGroup,
): Promise<Subscription> {
  const { eventLog, topics } = parts;
  return eventLog.subscribe({
    group,
    topics: [topics.identity],
    from: 'earliest',
    handler: async ({ records }) => {
      const appends: OutgoingRecord[] = [];
      for (const record of records) {
        const event = await readEvent(parts, record);
        if (event !== undefined) appends.push(...claimRecords(parts, event, record));
      }
      // An append whose answer was lost is repeated: the second claim of a user changes nothing.
      await publishInParts(eventLog, topics.events, appends);
    },
  });
}

async function readEvent(
  { keys, log }: { readonly keys: KeyRing; readonly log: CartParts['log'] },
  record: LogRecord,
): Promise<IdentityEvent | undefined> {
  const where = { partition: record.partition, offset: String(record.offset), trace_id: traceIdOfRecord(record) };
  if (!(await isAuthentic(record, keys))) {
    claims.inc({ outcome: 'refused_forged' });
    log.error(where, 'an identity event without a valid signature was refused');
    return undefined;
  }
  try {
    return fromBinary(IdentityEventSchema, record.value!);
  } catch (error) {
    // Auth's own, so a version that this process does not know: the dead-letter topic keeps it for one that does.
    log.error({ ...where, err: error }, 'an identity event cannot be decoded');
    throw error;
  }
}

async function isAuthentic(record: LogRecord, keys: KeyRing): Promise<boolean> {
  try {
    return await verifyEvent(record, keys);
  } catch (error) {
    throw new RetryLater('the keys of auth cannot be fetched', { cause: error });
  }
}

function claimRecords({ clock, log }: Pick<CartParts, 'clock' | 'log'>, event: IdentityEvent, record: LogRecord): OutgoingRecord[] {
  if (event.event.case !== 'guestClaimed') return [];
  const { guestCartId, userId } = event.event.value;
  // Only a guest's cart can be claimed, only by a user: no chains, no cycles.
  if (!isGuestSubject(guestCartId) || !isUserSubject(userId)) {
    claims.inc({ outcome: 'refused_source' });
    log.error({ eventId: event.eventId, trace_id: traceIdOfRecord(record) }, 'a claim that is not of a guest cart by a user was refused');
    return [];
  }
  const { value, headers } = encodeEvent({
    type: 'GuestCartClaimed',
    cartId: guestCartId,
    atMs: clock.nowMs(),
    userCartId: userId,
    claimEventId: event.eventId,
  });
  // One sign-in is one trace: this record, and the join that the projector makes of it, belong to the login that auth announced.
  return [{ key: guestCartId, value, headers: { ...headers, ...traceHeaders(traceOfRecord(record)) } }];
}
