/** The steps that every read of a cart shares: a bounded wait for the caller's own writes, one look at the view, and what it may lack. */
import { type LogPosition, problem, type Problem } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/mesh';
import { emptyCart, type CartState } from '../model/cart.ts';
import { isIncomplete } from '../projection/apply-record.ts';
import { isRebuilding, ViewUnavailable, type Place } from '../projection/cart.view.ts';
import {
  behindOwn,
  behindRegions,
  type ConsistencyToken,
  hasReached,
  partitionOfCart,
  tokenFor,
  waitForToken,
  waitMaxMs,
} from './consistency.ts';
import { lineOf, type LineId } from '../model/lines.ts';
import { staleReads } from '../metrics.ts';
import type { CartParts } from '../cart.dependencies.ts';
import { viewForRead } from './stale-view.ts';
import type { Projector } from '../projection/projector.ts';

/** Four missed fetches. After that this process cannot know whether the log has grown. */
const logSilenceMaxMs = 2_000;
/** A healthy log answers within 10 ms. */
const endMaxMs = 500;
/** The part of the deadline that is kept for the read itself. */
const readMarginMs = 100;

export type ReadParts = CartParts & { readonly projector: Pick<Projector, 'heardAgoMs' | 'realignSoon' | 'ends'> };

/** `lagging_copy`: the view holds what this region's log does, and not yet what another region's does. */
type StaleReason = 'rebuilding' | 'behind' | 'lagging' | 'silent_log' | 'lagging_copy';

export interface CartRead {
  readonly state: CartState;
  /** Why the view may lack what the caller has written, or what a log holds; undefined when it lacks nothing. */
  readonly staleFor: StaleReason | undefined;
  /** A record of this cart waits in the dead-letter topic. */
  readonly incomplete: boolean;
  /** How many records of this region's log the view still has to apply to reach the consistency token. */
  readonly behind: bigint;
  /** The same for each other region whose records it lacks. */
  readonly behindRegions: readonly { readonly region: string; readonly records: bigint }[];
  /** The position that the view had reached in the log of each region; none where it holds nothing of the partition. */
  readonly reached: readonly LogPosition[];
}

/** @param from the caller's own token, or the log's end (`upToNow`) for a read that must hold every write acknowledged before it began */
export async function readCart(parts: ReadParts, ctx: PersonContext, from = tokenOf(parts, ctx)): Promise<CartRead | Problem> {
  const { clock, projector } = parts;
  const cartId = ctx.identity.subject;
  const partition = partitionOfCart(parts, cartId);
  const token = from;
  const seen = viewForRead(parts.view, cartId, ctx.experiment, () => clock.monotonicMs());
  const view = seen instanceof Promise ? await seen : seen;
  try {
    let loaded = await view.load(partition, [cartId]);
    if (token !== undefined && !hasReached(loaded.place, token)) {
      const budgetMs = Math.max(0, Math.min(waitMaxMs, ctx.deadline.remainingMs() - readMarginMs));
      await waitForToken(view, token, { clock, budgetMs, signal: ctx.signal });
      loaded = await view.load(partition, [cartId]);
    }
    const { place, carts } = loaded;
    const staleFor = whyStale(place, token, projector, partition);
    if (staleFor !== undefined) staleReads.inc({ reason: staleFor });
    // Reads find a wiped view before the next event does.
    if (staleFor === 'rebuilding') projector.realignSoon();
    const cart = carts.get(cartId);
    return {
      state: cart?.state ?? emptyCart(cartId),
      staleFor,
      incomplete: cart !== undefined && isIncomplete(cart),
      behind: behindOwn(place, token),
      behindRegions: behindRegions(place, token),
      reached: reachedIn(place, parts, partition),
    };
  } catch (error) {
    if (error instanceof ViewUnavailable) return problem('unavailable', undefined, 1);
    throw error;
  }
}

function whyStale(
  place: Place | undefined,
  token: ConsistencyToken | undefined,
  projector: ReadParts['projector'],
  partition: number,
): StaleReason | undefined {
  if (place === undefined || isRebuilding(place)) return 'rebuilding';
  if (!hasReached(place, token)) return 'behind';
  // Where each log ended a second ago. A view that has not reached it stands still, whichever process holds the partition.
  const stands = (next: bigint, region?: string): boolean => next < (projector.ends.standing(partition, region) ?? 0n);
  if (stands(place.next)) return 'lagging';
  if (projector.heardAgoMs() > logSilenceMaxMs) return 'silent_log';
  // Last: whoever can do without the copy must not overlook another reason.
  return place.mirrors?.some(({ next, region }) => stands(next, region)) === true ? 'lagging_copy' : undefined;
}

/** The caller's own token. */
export function tokenOf(parts: CartParts, ctx: PersonContext): ConsistencyToken | undefined {
  return tokenFor(ctx.consistency, parts, partitionOfCart(parts, ctx.identity.subject));
}

/**
 * @returns where this region's log ends now; 'unknown' when it does not say. The caller's token is not asked: what the log acknowledged lies before
 * its end, and a position beyond it is of a log that was replaced, which no wait would reach.
 */
export async function upToNow(parts: ReadParts, ctx: PersonContext): Promise<ConsistencyToken | 'unknown' | undefined> {
  const partition = partitionOfCart(parts, ctx.identity.subject);
  const end = await parts.projector.ends.now(partition, Math.max(0, Math.min(endMaxMs, ctx.deadline.remainingMs() - readMarginMs)));
  if (end === undefined) return 'unknown';
  return end === 0n ? undefined : { partition, own: end - 1n, others: [] };
}

/** A place still has what it knew of a region that the shop has given up. */
function reachedIn(place: Place | undefined, { region, topics }: ReadParts, partition: number): readonly LogPosition[] {
  if (place === undefined) return [];
  const others = (place.mirrors ?? []).filter((log) => topics.mirrors?.some((mirror) => mirror.region === log.region) === true);
  const logs = [{ region, reached: place.next }, ...others];
  return logs.flatMap((log) => (log.reached > 0n ? [{ region: log.region, partition, offset: log.reached - 1n }] : []));
}

export function lineOfMessage(lineId: LineId): { productId: string; options: { name: string; value: string }[] } {
  const line = lineOf(lineId)!;
  return { productId: line.productId, options: line.options.map(([name, value]) => ({ name, value })) };
}
