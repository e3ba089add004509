import {
  isGuestSubject,
  isUserSubject,
  MergeState,
  problem,
  type CartSchema,
  type GetCartRequest,
  type Problem,
} from '@cloakroom/contracts';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { PersonContext } from '@cloakroom/platform';
import { emptyCart, linesOf, type CartState } from './cart.ts';
import { ViewUnavailable, type Place } from './cart.view.ts';
import { hasReached, tokenFor, waitForToken, waitMaxMs, type ConsistencyToken } from './consistency.ts';
import { lineOf, type LineId } from './lines.ts';
import { staleReads } from './metrics.ts';
import { partitionOfCart, type CartParts } from './parts.ts';
import type { Projector } from './projector.ts';
import { encodeSeen } from './seen.ts';

/** Four missed fetches: beyond it nobody here can say that nothing has happened. */
const logSilenceMaxMs = 2_000;
/** Kept of the deadline for the read itself. */
const readMarginMs = 100;

/** What the view holds, after a bounded wait for the caller's own writes; what it may lack is said, never hidden. */
export async function getCart(
  parts: CartParts & { readonly projector: Pick<Projector, 'heardAgoMs' | 'realignSoon'> },
  ctx: PersonContext,
  { claimedGuestCart }: Pick<GetCartRequest, 'claimedGuestCart'>,
): Promise<MessageInitShape<typeof CartSchema> | Problem> {
  const { view, clock, projector } = parts;
  const cartId = ctx.identity.subject;
  const partition = partitionOfCart(parts, cartId);
  const token = tokenFor(ctx.consistency, parts.region, partition);
  try {
    if (token !== undefined) {
      const budgetMs = Math.max(0, Math.min(waitMaxMs, ctx.deadline.remainingMs() - readMarginMs));
      await waitForToken(view, token, { clock, budgetMs, signal: ctx.signal });
    }
    const { place, carts } = await view.load(partition, [cartId]);
    const reason = whyStale(place, token, projector.heardAgoMs());
    if (reason !== undefined) staleReads.inc({ reason });
    // Reads find a wiped view before the next event does.
    if (reason === 'rebuilding') projector.realignSoon();
    const cart = carts.get(cartId);
    const state = cart?.state ?? emptyCart(cartId);
    return {
      cartId,
      lines: linesOf(state).map(({ lineId, quantity, dots }) => ({ lineId, ...lineOfMessage(lineId), quantity, seen: encodeSeen(dots) })),
      seen: encodeSeen(state.dots.keys()),
      stale: reason !== undefined,
      incomplete: (cart?.missing.size ?? 0) > 0,
      merge: mergeOf(state, claimedGuestCart),
      behind: behind(place, token),
    };
  } catch (error) {
    if (error instanceof ViewUnavailable) return problem('unavailable', undefined, 1);
    throw error;
  }
}

function whyStale(place: Place | undefined, token: ConsistencyToken | undefined, heardAgoMs: number): string | undefined {
  if (place === undefined || place.next < place.rebuiltAt) return 'rebuilding';
  if (!hasReached(place, token)) return 'behind';
  return heardAgoMs > logSilenceMaxMs ? 'silent_log' : undefined;
}

function behind(place: Place | undefined, token: ConsistencyToken | undefined): bigint {
  if (token === undefined || hasReached(place, token)) return 0n;
  return token.offset + 1n - (place?.next ?? 0n);
}

function lineOfMessage(lineId: LineId): { productId: string; options: { name: string; value: string }[] } {
  const line = lineOf(lineId)!;
  return { productId: line.productId, options: line.options.map(([name, value]) => ({ name, value })) };
}

/** Pending from the sign-in on, since the session says so before this service has heard of the claim. */
function mergeOf(state: CartState, claimedGuestCart: string): { state: MergeState; from?: string; atMs?: bigint } {
  if (!isUserSubject(state.cartId) || !isGuestSubject(claimedGuestCart)) return { state: MergeState.NONE };
  const joined = state.joined.get(claimedGuestCart);
  if (joined === undefined) return { state: MergeState.PENDING, from: claimedGuestCart };
  return { state: MergeState.MERGED, from: claimedGuestCart, atMs: BigInt(joined.atMs) };
}
