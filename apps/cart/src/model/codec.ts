/**
 * Encodes and decodes events. The log is read for as long as it is kept, so every version that was ever written stays readable:
 * codec.test.ts holds golden bytes of each. Fields are added and never reused; a new meaning is a new event type. codec.cart.ts does the
 * same for carts.
 */
import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import {
  CartEventSchema,
  recordHeaders,
  type CartEvent as CartEventMessage,
  type GuestJoined as GuestJoinedMessage,
} from '@cloakroom/contracts';
import type { LogRecord, RecordHeaders } from '@cloakroom/event-log';
import { Draft, emptyCart, type CartEvent } from './cart.ts';
import {
  atMsOf,
  codeOf,
  fromAlsoMadeIn,
  fromDot,
  fromLineRef,
  fromLiveDot,
  fromLogOffsets,
  fromNamed,
  toAlsoMadeIn,
  toDeadDot,
  toDot,
  toLineRef,
  toLiveCoupon,
  toLiveDot,
  toLogOffsets,
  UndecodableRecord,
} from './codec.dots.ts';
import { readFrequentEvent } from './codec.frequent.ts';

export { fromDot, toDot, UndecodableRecord } from './codec.dots.ts';
export { decodeCart, encodeCart, type CartRecord } from './codec.cart.ts';

/**
 * The version rises only for events that older readers would misread: a reader refuses a version above the one it knows. It refuses an
 * unknown type of event anyway. 2: a GuestJoined with coupons, which older readers would lose. 3: one with further origins, or with offsets
 * of regions.
 */
function versionOf(event: CartEvent): number {
  if (event.type !== 'GuestJoined') return 1;
  if (event.guestOffsets !== undefined || [...event.origins.values()].some((carts) => carts.length > 1)) return 3;
  return event.coupons.size > 0 ? 2 : 1;
}
const newestVersion = 3;

type GuestJoined = Extract<CartEvent, { type: 'GuestJoined' }>;

export function encodeEvent(event: CartEvent): { value: Buffer; headers: RecordHeaders } {
  const { cartId, atMs, type } = event;
  const message = create(CartEventSchema, { cartId, atMs: BigInt(atMs), event: toOneof(event) });
  return {
    value: Buffer.from(toBinary(CartEventSchema, message)),
    headers: { [recordHeaders.eventType]: Buffer.from(type), [recordHeaders.eventVersion]: Buffer.from(String(versionOf(event))) },
  };
}

/** @throws UndecodableRecord with the reason; the error never carries the bytes */
export function decodeEvent(record: Pick<LogRecord, 'key' | 'value' | 'headers'>): CartEvent {
  if (!isKnownVersion(record.headers[recordHeaders.eventVersion])) throw new UndecodableRecord('unknown event version');
  if (record.value === null) throw new UndecodableRecord('no value');
  return readFrequentEvent(record.value, record.key) ?? decodeAnyEvent(record.value, record.key);
}

function isKnownVersion(header: Buffer | undefined): boolean {
  const version = header?.toString('latin1') ?? '';
  return /^\d{1,4}$/.test(version) && Number(version) <= newestVersion;
}

/** The general reader. It alone says what is wrong with bytes that are no event. */
export function decodeAnyEvent(value: Buffer, key: string): CartEvent {
  let event: CartEvent | undefined;
  try {
    event = fromMessage(fromBinary(CartEventSchema, value));
  } catch (error) {
    throw new UndecodableRecord('not a cart event', { cause: error });
  }
  if (event === undefined) throw new UndecodableRecord('unknown event type');
  if (event.cartId !== key) throw new UndecodableRecord('the event names another cart than its key');
  return event;
}

function toOneof(event: CartEvent): NonNullable<MessageInitShape<typeof CartEventSchema>['event']> {
  switch (event.type) {
    case 'ItemAdded':
      return { case: 'itemAdded', value: { dot: toDot(event.dot), line: toLineRef(event.line), quantity: event.quantity } };
    case 'QuantitySet': {
      const { dot, line, quantity, observed } = event;
      return { case: 'quantitySet', value: { dot: toDot(dot), line: toLineRef(line), quantity, observed: observed.map(toDot) } };
    }
    case 'ItemRemoved':
      return { case: 'itemRemoved', value: { dot: toDot(event.dot), line: toLineRef(event.line), observed: event.observed.map(toDot) } };
    case 'CartCleared':
      return { case: 'cartCleared', value: { dot: toDot(event.dot), observed: event.observed.map(toDot) } };
    case 'GuestCartClaimed':
      return { case: 'guestCartClaimed', value: { userCartId: event.userCartId, claimEventId: event.claimEventId } };
    case 'GuestJoined':
      return { case: 'guestJoined', value: toGuestJoined(event) };
    case 'OrderPlaced':
      return { case: 'orderPlaced', value: { orderId: event.orderId, dots: event.dots.map(toDot) } };
    case 'CouponApplied':
      return { case: 'couponApplied', value: { dot: toDot(event.dot), code: event.code } };
    case 'CouponRemoved':
      return { case: 'couponRemoved', value: { dot: toDot(event.dot), code: event.code, observed: event.observed.map(toDot) } };
  }
}

function fromMessage({ cartId, atMs: atMsBig, event }: CartEventMessage): CartEvent | undefined {
  const common = { cartId, atMs: Number(atMsBig) };
  switch (event.case) {
    case 'itemAdded': {
      const { dot, line, quantity } = event.value;
      return { ...common, type: 'ItemAdded', dot: fromDot(dot), line: fromLineRef(line), quantity };
    }
    case 'quantitySet': {
      const { dot, line, quantity, observed } = event.value;
      return { ...common, type: 'QuantitySet', dot: fromDot(dot), line: fromLineRef(line), quantity, observed: observed.map(fromDot) };
    }
    case 'itemRemoved': {
      const { dot, line, observed } = event.value;
      return { ...common, type: 'ItemRemoved', dot: fromDot(dot), line: fromLineRef(line), observed: observed.map(fromDot) };
    }
    case 'cartCleared':
      return { ...common, type: 'CartCleared', dot: fromDot(event.value.dot), observed: event.value.observed.map(fromDot) };
    case 'guestCartClaimed':
      return { ...common, type: 'GuestCartClaimed', userCartId: event.value.userCartId, claimEventId: event.value.claimEventId };
    case 'guestJoined':
      return { ...common, type: 'GuestJoined', ...fromGuestJoined(event.value) };
    case 'orderPlaced':
      return { ...common, type: 'OrderPlaced', orderId: event.value.orderId, dots: event.value.dots.map(fromDot) };
    case 'couponApplied':
      return { ...common, type: 'CouponApplied', dot: fromDot(event.value.dot), code: event.value.code };
    case 'couponRemoved': {
      const { dot, code, observed } = event.value;
      return { ...common, type: 'CouponRemoved', dot: fromDot(dot), code, observed: observed.map(fromDot) };
    }
    case undefined:
      return undefined;
  }
}

function toGuestJoined(event: GuestJoined): Extract<MessageInitShape<typeof CartEventSchema>['event'], { case: 'guestJoined' }>['value'] {
  const { guestCartId, guestOffset, guestOffsets, dots, coupons, dead, origins } = event;
  const guest = { cartId: guestCartId, origins };
  return {
    guestCartId,
    guestOffset,
    dots: [...dots].map((one) => toLiveDot(guest, one)),
    dead: [...dead].map((one) => toDeadDot(guest, one)),
    coupons: [...coupons].map((one) => toLiveCoupon(guest, one)),
    alsoMadeIn: toAlsoMadeIn(guest, [...dots.keys(), ...coupons.keys(), ...dead.keys()]),
    guestOffsets: toLogOffsets(guestOffsets),
  };
}

/** The guest's cart as it was. It is built by the rules of a cart. */
function fromGuestJoined(message: GuestJoinedMessage): Omit<GuestJoined, 'type' | 'cartId' | 'atMs'> {
  const { guestCartId, guestOffset } = message;
  const draft = new Draft(emptyCart(guestCartId));
  for (const one of message.dead) {
    const [origin, id] = fromNamed(one.dot);
    draft.kill(id, origin, atMsOf(one), undefined);
  }
  for (const one of message.dots) {
    const [origin, id] = fromNamed(one.dot);
    draft.live(id, origin, fromLiveDot(one));
  }
  for (const one of message.coupons) {
    const [origin, id] = fromNamed(one.dot);
    draft.note(id, origin, codeOf(one));
  }
  draft.alsoMadeIn(fromAlsoMadeIn(message.alsoMadeIn));
  const { dots, coupons, dead, origins } = draft.done();
  const guestOffsets = fromLogOffsets(message.guestOffsets);
  return { guestCartId, guestOffset, dots, coupons, dead, origins, ...(guestOffsets.length > 0 && { guestOffsets }) };
}
