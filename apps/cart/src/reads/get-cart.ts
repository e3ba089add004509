import {
  formatPositions,
  isGuestSubject,
  isProblem,
  isUserSubject,
  MergeState,
  observed,
  type CartSchema,
  type GetCartRequest,
  type Problem,
} from '@cloakroom/contracts';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { PersonContext } from '@cloakroom/mesh';
import { observeRunning, observing } from '@cloakroom/platform';
import { couponsOf, dotIn, linesOf, type CartState } from '../model/cart.ts';
import { lineOfMessage, readCart, tokenOf, type ReadParts } from './read-cart.ts';
import { encodeSeen } from '../model/seen.ts';

/** Waits for the caller's own writes, within a bound, and answers with the cart in the view. The answer says what may be missing. */
export async function getCart(
  parts: ReadParts,
  ctx: PersonContext,
  { claimedGuestCart }: Pick<GetCartRequest, 'claimedGuestCart'>,
): Promise<MessageInitShape<typeof CartSchema> | Problem> {
  const read = await readCart(parts, ctx);
  if (isProblem(read)) return read;
  const { state, staleFor, incomplete, behind, behindRegions, reached } = read;
  if (observing())
    observeRunning(() => ({
      [observed.cartId]: state.cartId,
      [observed.cartAsked]: tokenOf(parts, ctx)?.own?.toString(),
      [observed.cartShown]: reached.find(({ region }) => region === parts.region)?.offset.toString(),
    }));
  return {
    cartId: state.cartId,
    lines: linesOf(state).map(({ lineId, quantity, dots }) => ({ lineId, ...lineOfMessage(lineId), quantity, seen: encodeSeen(dots) })),
    coupons: couponsOf(state).map(({ code, dots }) => ({ code, seen: encodeSeen(dots) })),
    seen: encodeSeen([...state.dots.keys(), ...state.coupons.keys()].map((id) => dotIn(state, id))),
    stale: staleFor !== undefined,
    incomplete,
    merge: mergeOf(state, claimedGuestCart),
    behind,
    behindRegions: [...behindRegions],
    consistencyToken: formatPositions(reached),
  };
}

/** A merge is pending from the sign-in on: the session names the claimed guest cart before this service has heard of the claim. */
function mergeOf(state: CartState, claimedGuestCart: string): { state: MergeState; from?: string; atMs?: bigint } {
  if (!isUserSubject(state.cartId) || !isGuestSubject(claimedGuestCart)) return { state: MergeState.NONE };
  const joined = state.joined.get(claimedGuestCart);
  if (joined === undefined) return { state: MergeState.PENDING, from: claimedGuestCart };
  return { state: MergeState.MERGED, from: claimedGuestCart, atMs: BigInt(joined.atMs) };
}
