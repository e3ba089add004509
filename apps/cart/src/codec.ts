/**
 * Events and carts as bytes. The log is read for as long as it is kept, so every version ever written stays readable: codec.test.ts holds
 * golden bytes of each. Fields are added, never reused; a new meaning is a new event type.
 */
import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import {
  CartEventSchema,
  CartSnapshotSchema,
  DotKind,
  formatUuid,
  recordHeaders,
  uuidToBytes,
  type CartEvent as CartEventMessage,
  type CartSnapshot,
  type DeadDot,
  type DeadDotSchema,
  type DeadOfCart,
  type DeadOfCartSchema,
  type Dot as DotMessage,
  type DotSchema,
  type LineRef,
  type LiveCoupon,
  type LiveDot,
  type LiveDotSchema,
} from '@cloakroom/contracts';
import type { LogRecord, RecordHeaders } from '@cloakroom/platform';
import {
  cartOfDot,
  commandOfDot,
  couponOfScope,
  couponScope,
  dotOf,
  type CartEvent,
  type CartState,
  type Dot,
  type Live,
  type Scope,
} from './cart.ts';
import { canonicalLine, lineIdLengthMax, lineIdOf, lineOf, type LineId } from './lines.ts';

/**
 * Raised only for what older readers would misread; they refuse what is above the version they know. A kind of event that they do not know
 * they refuse anyway. 2: a GuestJoined that carries coupons, which they would lose.
 */
const versionOf = (event: CartEvent): number => (event.type === 'GuestJoined' && event.coupons.size > 0 ? 2 : 1);
const newestVersion = 2;

/** A cart as the view and the snapshots keep it. */
export interface CartRecord {
  readonly state: CartState;
  /** The offset of the next record of this cart's partition that the state does not hold. */
  readonly position: bigint;
  /** Offsets of this cart's records that wait in the dead-letter topic. */
  readonly missing: ReadonlySet<bigint>;
  readonly eventsSinceSnapshot: number;
  /** When the oldest event that no snapshot holds was appended; 0 when there is none. */
  readonly oldestUnsnapshottedAtMs: number;
}

export class UndecodableRecord extends Error {
  override readonly name = 'UndecodableRecord';
}

export function encodeEvent(event: CartEvent): { value: Buffer; headers: RecordHeaders } {
  const { cartId, atMs, type } = event;
  const message = create(CartEventSchema, { cartId, atMs: BigInt(atMs), event: toOneof(event) });
  return {
    value: Buffer.from(toBinary(CartEventSchema, message)),
    headers: { [recordHeaders.eventType]: Buffer.from(type), [recordHeaders.eventVersion]: Buffer.from(String(versionOf(event))) },
  };
}

/** @throws UndecodableRecord with the reason; it never carries the bytes */
export function decodeEvent(record: Pick<LogRecord, 'key' | 'value' | 'headers'>): CartEvent {
  const version = record.headers[recordHeaders.eventVersion]?.toString() ?? '';
  if (!/^\d{1,4}$/.test(version) || Number(version) > newestVersion) throw new UndecodableRecord('unknown event version');
  if (record.value === null) throw new UndecodableRecord('no value');
  let event: CartEvent | undefined;
  try {
    event = fromMessage(fromBinary(CartEventSchema, record.value));
  } catch (error) {
    throw new UndecodableRecord('not a cart event', { cause: error });
  }
  if (event === undefined) throw new UndecodableRecord('unknown event type');
  if (event.cartId !== record.key) throw new UndecodableRecord('the event names another cart than its key');
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
    case 'GuestJoined': {
      const { guestCartId, guestOffset, dots, coupons, dead } = event;
      const carried = { dots: [...dots].map(toLiveDot), dead: [...dead].map(toDeadDot), coupons: [...coupons].map(toLiveCoupon) };
      return { case: 'guestJoined', value: { guestCartId, guestOffset, ...carried } };
    }
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
    case 'guestJoined': {
      const { guestCartId, guestOffset, dots, coupons, dead } = event.value;
      return {
        ...common,
        type: 'GuestJoined',
        guestCartId,
        guestOffset,
        dots: new Map(dots.map(fromLiveDot)),
        coupons: new Map(coupons.map(fromLiveCoupon)),
        dead: new Map(dead.map(fromDeadDot)),
      };
    }
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

export function encodeCart({ state, position, missing, eventsSinceSnapshot, oldestUnsnapshottedAtMs }: CartRecord): Buffer {
  const message = create(CartSnapshotSchema, {
    cartId: state.cartId,
    dots: [...state.dots].map(toLiveDot),
    dead: [...(state.dead.size > 0 ? [notForOlderBuilds] : []), ...[...state.doomed].flatMap(toDoomedDots)],
    deadOf: toDeadOfCarts(state.dead),
    coupons: [...state.coupons].map(toLiveCoupon),
    joined: [...state.joined].map(([guestCartId, { guestOffset, atMs }]) => ({ guestCartId, guestOffset, atMs: BigInt(atMs) })),
    claimedBy: state.claimedBy ?? '',
    position,
    missingOffsets: [...missing],
    eventsSinceSnapshot,
    oldestUnsnapshottedAtMs: BigInt(oldestUnsnapshottedAtMs),
  });
  return Buffer.from(toBinary(CartSnapshotSchema, message));
}

/** @throws UndecodableRecord */
export function decodeCart(bytes: Uint8Array): CartRecord {
  try {
    const message = fromBinary(CartSnapshotSchema, bytes);
    return {
      state: {
        cartId: message.cartId,
        dots: new Map(message.dots.map(fromLiveDot)),
        coupons: new Map(message.coupons.map(fromLiveCoupon)),
        ...fromDead(message),
        joined: new Map(message.joined.map(({ guestCartId, guestOffset, atMs }) => [guestCartId, { guestOffset, atMs: Number(atMs) }])),
        claimedBy: message.claimedBy || undefined,
      },
      position: message.position,
      missing: new Set(message.missingOffsets),
      eventsSinceSnapshot: message.eventsSinceSnapshot,
      oldestUnsnapshottedAtMs: Number(message.oldestUnsnapshottedAtMs),
    };
  } catch (error) {
    throw new UndecodableRecord('not a cart', { cause: error });
  }
}

export const toDot = (dot: Dot): MessageInitShape<typeof DotSchema> => ({
  cartId: cartOfDot(dot),
  commandId: uuidToBytes(commandOfDot(dot)),
});

export function fromDot(dot: DotMessage | undefined): Dot {
  if (dot === undefined || dot.cartId === '') throw new UndecodableRecord('a dot is missing');
  return dotOf(dot.cartId, formatUuid(dot.commandId));
}

function toLineRef(lineId: LineId): { productId: string; options: Record<string, string> } {
  const line = lineOf(lineId);
  if (line === undefined) throw new RangeError('not a line id');
  return { productId: line.productId, options: Object.fromEntries(line.options) };
}

function fromLineRef(line: LineRef | undefined): LineId {
  if (line === undefined || line.productId === '') throw new UndecodableRecord('a line is missing');
  const lineId = lineIdOf(canonicalLine(line.productId, Object.entries(line.options)));
  if (lineId.length > lineIdLengthMax) throw new UndecodableRecord('a line is too long');
  return lineId;
}

const toLiveDot = ([dot, { line, quantity, kind }]: [Dot, Live]): MessageInitShape<typeof LiveDotSchema> => ({
  dot: toDot(dot),
  line: toLineRef(line),
  quantity,
  kind: kind === 'add' ? DotKind.ADD : DotKind.SET,
});

function fromLiveDot({ dot, line, quantity, kind }: LiveDot): [Dot, Live] {
  if (kind !== DotKind.ADD && kind !== DotKind.SET) throw new UndecodableRecord('unknown kind of dot');
  return [fromDot(dot), { line: fromLineRef(line), quantity, kind: kind === DotKind.ADD ? 'add' : 'set' }];
}

const toDeadDot = ([dot, killedAtMs]: [Dot, number]) => ({ dot: toDot(dot), killedAtMs: BigInt(killedAtMs) });

function toDoomedDots([dot, scopes]: [Dot, ReadonlyMap<Scope, number>]) {
  return [...scopes].map(([scope, killedAtMs]) => {
    const coupon = couponOfScope(scope);
    return { ...toDeadDot([dot, killedAtMs]), ...(coupon === undefined ? { line: toLineRef(scope) } : { coupon }) };
  });
}

/**
 * A build from before `dead_of` would not see it, take the cart for one without deaths, and write it back so. Of a dead dot without a dot it
 * says that this is no cart, and waits: so in a rollout, or when one is undone, nothing is forgotten.
 */
const notForOlderBuilds: MessageInitShape<typeof DeadDotSchema> = {};
const commandIdBytes = 16;

/** A message for each dot would cost ten times as much, in time and in bytes. */
function toDeadOfCarts(dead: CartState['dead']): MessageInitShape<typeof DeadOfCartSchema>[] {
  return [...Map.groupBy(dead, ([dot]) => cartOfDot(dot))].map(([cartId, its]) => {
    const commandIds = new Uint8Array(its.length * commandIdBytes);
    for (const [index, [dot]] of its.entries()) commandIds.set(uuidToBytes(commandOfDot(dot)), index * commandIdBytes);
    return { cartId, commandIds, killedAtMs: its.map(([, killedAtMs]) => BigInt(killedAtMs)) };
  });
}

function* fromDeadOfCart({ cartId, commandIds, killedAtMs }: DeadOfCart): Generator<[Dot, number]> {
  if (cartId === '' || commandIds.length !== killedAtMs.length * commandIdBytes) throw new UndecodableRecord('dead dots do not match');
  for (const [index, atMs] of killedAtMs.entries()) {
    const from = index * commandIdBytes;
    yield [dotOf(cartId, formatUuid(commandIds.subarray(from, from + commandIdBytes))), Number(atMs)];
  }
}

/** A single one with a line or a coupon is of a dot that is not known yet. */
function fromDead(message: CartSnapshot): Pick<CartState, 'dead' | 'doomed'> {
  const dead = new Map<Dot, number>(message.deadOf.flatMap((of) => [...fromDeadOfCart(of)]));
  const doomed = new Map<Dot, Map<Scope, number>>();
  for (const one of message.dead) {
    if (one.dot === undefined && message.deadOf.length > 0) continue;
    const [dot, killedAtMs] = fromDeadDot(one);
    const scope = one.line === undefined ? one.coupon && couponScope(one.coupon) : fromLineRef(one.line);
    if (scope === '') dead.set(dot, killedAtMs);
    else doomed.set(dot, (doomed.get(dot) ?? new Map<Scope, number>()).set(scope, killedAtMs));
  }
  return { dead, doomed };
}

const fromDeadDot = ({ dot, killedAtMs }: DeadDot): [Dot, number] => [fromDot(dot), Number(killedAtMs)];

const toLiveCoupon = ([dot, code]: [Dot, string]) => ({ dot: toDot(dot), code });

const fromLiveCoupon = ({ dot, code }: LiveCoupon): [Dot, string] => [fromDot(dot), code];
