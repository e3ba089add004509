import {
  isProblem,
  isUserSubject,
  uuidV7Milliseconds,
  type PrepareOrderRequest,
  type PreparedOrderSchema,
  type Problem,
} from '@cloakroom/contracts';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { PersonContext } from '@cloakroom/mesh';
import { cartOfDot, commandOfDot, couponsOf, linesOf, type CartState, type CommandId, type Dot } from '../model/cart.ts';
import { toDot } from '../model/codec.ts';
import { lineOfMessage, readCart, upToNow, type ReadParts } from './read-cart.ts';
import { decodeSeen } from '../model/seen.ts';

/**
 * Answers with the part of a cart that the client has seen and that is still alive: an order may name this part. Quantities count these
 * dots alone, so an order neither includes nor removes a concurrent add of another device. When this replica cannot tell, it answers
 * `stale`, because a second try is better than an order of half a cart.
 */
export async function prepareOrder(
  parts: ReadParts,
  ctx: PersonContext,
  request: Pick<PrepareOrderRequest, 'seen'>,
): Promise<MessageInitShape<typeof PreparedOrderSchema> | Problem> {
  const decoded = decodeSeen(request.seen);
  if (!Array.isArray(decoded)) return decoded;
  // An order names each command once, even when the client has seen several aliases of it.
  const seen = [...Map.groupBy(decoded, commandOfDot)];
  // The read must hold every write that was acknowledged before it. So a line removed a moment ago is not sold, even when the partition's
  // owner hangs.
  const now = await upToNow(parts, ctx);
  const read = await readCart(parts, ctx, now === 'unknown' ? undefined : now);
  if (isProblem(read)) return read;
  const { state, staleFor } = read;
  // A copy may lag after a heal as in a cut: an order needs what this region acknowledged, and the lines that the client has seen.
  const stale = staleFor !== undefined && staleFor !== 'lagging_copy';
  const gone = seen.filter(
    ([, aliases]) => aliases.some((dot) => isGone(state, dot, parts.clock.nowMs())) || aliases.every((dot) => isSomebodyElses(state, dot)),
  );
  const dots = new Map(seen.flatMap(([id]) => entryOf(state.dots, id)));
  const coupons = new Map(seen.flatMap(([id]) => entryOf(state.coupons, id)));
  const known = dots.size + coupons.size + gone.length;
  const seenAndLive = { ...state, dots, coupons };
  return {
    cartId: state.cartId,
    lines: linesOf(seenAndLive).map((line) => ({
      lineId: line.lineId,
      ...lineOfMessage(line.lineId),
      quantity: line.quantity,
      dots: line.dots.map(toDot),
    })),
    coupons: couponsOf(seenAndLive).map(({ code, dots: its }) => ({ code, dots: its.map(toDot) })),
    changed: gone.length > 0,
    stale: now === 'unknown' || stale || read.incomplete || known < seen.length,
  };
}

/**
 * Twice the age at which a command id is refused, and as long as any build has kept deaths. A dot that is still unknown then was killed.
 */
const arrivedMs = 14 * 24 * 60 * 60 * 1000;

/**
 * Whether a dot is dead, or so old that its death may be forgotten: this cart should hold a dot of 14 days, and does not. A dot of a guest
 * that has not joined yet may still arrive at any age.
 */
export function isGone(state: CartState, dot: Dot, nowMs: number): boolean {
  const id = commandOfDot(dot);
  if (state.dead.has(id)) return true;
  if (state.dots.has(id) || state.coupons.has(id)) return false;
  const isOurs = cartOfDot(dot) === state.cartId || state.joined.has(cartOfDot(dot));
  return isOurs && (uuidV7Milliseconds(id) ?? nowMs) < nowMs - arrivedMs;
}

/** A page that stayed open while another person signed in shows such dots. They never arrive here, so a retry would be refused for ever. */
function isSomebodyElses(state: CartState, dot: Dot): boolean {
  const id = commandOfDot(dot);
  return isUserSubject(cartOfDot(dot)) && cartOfDot(dot) !== state.cartId && !state.dots.has(id) && !state.coupons.has(id);
}

const entryOf = <T>(map: ReadonlyMap<CommandId, T>, id: CommandId): [CommandId, T][] => {
  const value = map.get(id);
  return value === undefined ? [] : [[id, value]];
};
