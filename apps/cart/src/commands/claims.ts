/**
 * Reads the claims that auth made for users and appends each to the guest cart's own log. Only there is the claim in order with the guest's
 * commands. Auth's signature is verified, because anyone who can write to the broker could otherwise take a person's cart. A forged claim
 * is refused, counted and logged. A claim whose key cannot be fetched at the moment is not refused: it waits.
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
      // An append whose answer was lost is repeated: a second claim by the same user changes nothing.
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
    // The signature is auth's, so this is a version that this build does not know. The dead-letter topic keeps it for a build that does.
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
  // Only a guest's cart can be claimed, and only by a user: so claims form no chains and no cycles.
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
  // One sign-in is one trace: this record belongs to the login that auth announced, and so does the join that the projector makes of it.
  return [{ key: guestCartId, value, headers: { ...headers, ...traceHeaders(traceOfRecord(record)) } }];
}
