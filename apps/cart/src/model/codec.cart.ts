/**
 * Encodes and decodes a cart: the view's record and the snapshot. Decoding uses the same rules as events (`Draft`). An older build may
 * have kept one command under several names. Such a cart is decoded to what the whole log would make of it today.
 */
import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import {
  CartSnapshotSchema,
  uuidToBytes,
  type CartSnapshot,
  type DeadDot,
  type DeadDotSchema,
  type DeadOfCart,
  type JoinedGuest,
  type LiveDot,
} from '@cloakroom/contracts';
import {
  couponOfScope,
  couponScope,
  Draft,
  emptyCart,
  originIn,
  type CartState,
  type CommandId,
  type Joined,
  type LogOffset,
  type Scope,
} from './cart.ts';
import {
  atMsOf,
  codeOf,
  fromAlsoMadeIn,
  fromLineRef,
  fromLiveDot,
  fromLogOffsets,
  fromNamed,
  splitIds,
  toAlsoMadeIn,
  toLineRef,
  toLiveCoupon,
  toLogOffsets,
  UndecodableRecord,
} from './codec.dots.ts';
import { writeDeaths, writeLiveDots } from './codec.cart.write.ts';

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
  /** The same two in the logs of other regions. Absent where the cart has no record from there. */
  readonly inRegions?: { readonly positions: readonly LogOffset[]; readonly missing: readonly LogOffset[] };
}

/** The format of records that an older build would read with a loss. Records without that risk keep the older format. */
const newestFormat = 1;
const formatOfOlderBuilds = 0;

export function encodeCart(record: CartRecord): Buffer {
  const { state, position, missing, eventsSinceSnapshot, oldestUnsnapshottedAtMs, inRegions } = record;
  const alsoMadeIn = toAlsoMadeIn(state, state.origins.keys());
  const joined = [...state.joined].map(toJoined);
  const format = alsoMadeIn.length > 0 || inRegions !== undefined || joined.some(({ guestOffsets }) => guestOffsets.length > 0) ? 1 : 0;
  // In the order of the fields. Messages that stand one after the other are one message.
  return Buffer.concat([
    written({ cartId: state.cartId }),
    writeLiveDots(state, format > formatOfOlderBuilds),
    written({
      dead: [...(state.dead.size > 0 ? [notForBuildsBeforeDeadOf] : []), ...[...state.doomed].flatMap((one) => toDoomedDots(state, one))],
      coupons: [...state.coupons].map((one) => toLiveCoupon(state, one)),
      joined,
      claimedBy: state.claimedBy ?? '',
      position,
      missingOffsets: [...missing],
      eventsSinceSnapshot,
      oldestUnsnapshottedAtMs: BigInt(oldestUnsnapshottedAtMs),
    }),
    writeDeaths(state),
    format > formatOfOlderBuilds
      ? written({ format, alsoMadeIn, positions: toLogOffsets(inRegions?.positions), missing: toLogOffsets(inRegions?.missing) })
      : nothing,
  ]);
}

const written = (part: MessageInitShape<typeof CartSnapshotSchema>): Uint8Array =>
  toBinary(CartSnapshotSchema, create(CartSnapshotSchema, part));
const nothing = new Uint8Array();

/** @throws UndecodableRecord */
export function decodeCart(bytes: Uint8Array): CartRecord {
  try {
    const message = fromBinary(CartSnapshotSchema, bytes);
    if (message.format > newestFormat) throw new UndecodableRecord('a cart of a later build');
    const [positions, missing] = [fromLogOffsets(message.positions), fromLogOffsets(message.missing)];
    return {
      state: fromSnapshot(message),
      position: message.position,
      missing: new Set(message.missingOffsets),
      eventsSinceSnapshot: message.eventsSinceSnapshot,
      oldestUnsnapshottedAtMs: Number(message.oldestUnsnapshottedAtMs),
      ...(positions.length + missing.length > 0 && { inRegions: { positions, missing } }),
    };
  } catch (error) {
    throw new UndecodableRecord('not a cart', { cause: error });
  }
}

/**
 * Content decides between two payloads under one id, as in the log (`Draft`). A build from before kept the first alone, and such a cart
 * shows it until the log is folded again.
 */
function fromSnapshot(message: CartSnapshot): CartState {
  const draft = new Draft(emptyCart(message.cartId));
  for (const of of message.deadOf) takeDeadOfCart(draft, of);
  for (const live of message.dots) {
    if (message.format > formatOfOlderBuilds && isMarker(live)) continue;
    const [origin, id] = fromNamed(live.dot);
    draft.live(id, origin, fromLiveDot(live));
  }
  for (const coupon of message.coupons) {
    const [origin, id] = fromNamed(coupon.dot);
    draft.note(id, origin, codeOf(coupon));
  }
  for (const one of message.dead) {
    if (one.dot === undefined && message.deadOf.length > 0) continue;
    const [origin, id] = fromNamed(one.dot);
    draft.kill(id, origin, atMsOf(one), scopeOf(one));
  }
  draft.alsoMadeIn(fromAlsoMadeIn(message.alsoMadeIn));
  const joined = new Map(message.joined.map((one) => [one.guestCartId, fromJoined(one)]));
  return { ...draft.done(), joined, claimedBy: message.claimedBy || undefined };
}

/**
 * A build from before `format` does not know further origins and offsets of regions, and would write the cart back without them. It rejects
 * a live dot of an unknown kind, so it waits instead. Nothing is lost in a rollout, nor when a rollout is undone.
 */
const isMarker = ({ dot, line, quantity, kind }: LiveDot): boolean =>
  dot === undefined && line === undefined && quantity === 0 && (kind as number) === 0;
/** A build from before `dead_of` would read the cart without its deaths. It rejects a dead dot without an id, so it waits instead. */
const notForBuildsBeforeDeadOf: MessageInitShape<typeof DeadDotSchema> = {};

function takeDeadOfCart(draft: Draft, { cartId, commandIds, killedAtMs }: DeadOfCart): void {
  const ids = splitIds(commandIds);
  if (cartId === '' || ids.length !== killedAtMs.length) throw new UndecodableRecord('dead dots do not match');
  for (let index = 0; index < ids.length; index++) draft.kill(ids[index]!, cartId, Number(killedAtMs[index]), undefined);
}

function toDoomedDots(state: CartState, [id, scopes]: readonly [CommandId, ReadonlyMap<Scope, number>]) {
  return [...scopes].map(([scope, killedAtMs]): MessageInitShape<typeof DeadDotSchema> => {
    const coupon = couponOfScope(scope);
    const where = coupon === undefined ? { line: toLineRef(scope) } : { coupon };
    return { dot: { cartId: originIn(state, id), commandId: uuidToBytes(id) }, killedAtMs: BigInt(killedAtMs), ...where };
  });
}

/** A single dead dot with a line or a coupon belongs to a command that has not arrived yet. */
function scopeOf({ line, coupon }: DeadDot): Scope | undefined {
  if (line !== undefined) return fromLineRef(line);
  return coupon === '' ? undefined : couponScope(coupon);
}

const toJoined = ([guestCartId, { guestOffset, atMs, guestOffsets }]: readonly [string, Joined]) => ({
  guestCartId,
  guestOffset,
  atMs: BigInt(atMs),
  guestOffsets: toLogOffsets(guestOffsets),
});

function fromJoined({ guestOffset, atMs, guestOffsets }: JoinedGuest): Joined {
  return { guestOffset, atMs: Number(atMs), ...(guestOffsets.length > 0 && { guestOffsets: fromLogOffsets(guestOffsets) }) };
}
