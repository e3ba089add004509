/**
 * One token gives two of the session guarantees of Terry et al. (1994).
 *
 * - Read your writes: a command answers with the position of its record. A read that brings this token waits, within a bound, until the
 *   view's watermark has passed the position.
 * - Monotonic reads: a read answers with the position that the view had reached. A later read that brings this token shows no less, or says
 *   `stale`, whichever replica or restored view answers.
 *
 * In a shop of several regions a token has a position in the log of each. So a person who moves to another region is shown no less there than
 * before, or told how far it is behind.
 *
 * The token is a hint and not a secret: a wrong one only makes its sender wait 200 ms.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { furthestPositions, type LogPosition, partitionOf, positionsIn } from '@cloakroom/contracts';
import type { Clock } from '@cloakroom/platform';
import type { CartParts } from '../cart.dependencies.ts';
import type { CartView, Place } from '../projection/cart.view.ts';
import { mirrorOf } from '../projection/two-logs.ts';

/** Events and snapshots of a cart have the same partition number, because the topics have the same number of partitions. */
export const partitionOfCart = (parts: Pick<CartParts, 'topics'>, cartId: string): number => partitionOf(cartId, parts.topics.events);

/** The positions of a token that this service can judge: in one partition of its own log, and of the logs that it has copies of. */
export interface ConsistencyToken {
  readonly partition: number;
  readonly own: bigint | undefined;
  readonly others: readonly LogPosition[];
}

/** @returns undefined for a missing or malformed token, and for one of another partition or region, which says nothing about this cart */
export function tokenFor(
  token: string | undefined,
  { region, topics }: Pick<CartParts, 'region' | 'topics'>,
  partition: number,
): ConsistencyToken | undefined {
  if (token === undefined) return undefined;
  const positions = furthestPositions(positionsIn(token), partition);
  const own = positions.find((one) => one.region === region)?.offset;
  const others = positions.filter((one) => topics.mirrors?.some((mirror) => mirror.region === one.region) === true);
  return own === undefined && others.length === 0 ? undefined : { partition, own, others };
}

/** After this, a cart that is marked as stale is better for the person than a longer wait. */
export const waitMaxMs = 200;
/** A healthy projector needs 2 to 10 ms; polling doubles from 2 ms, so a wait costs at most 12 looks. */
const firstPollMs = 2;
const pollMaxMs = 25;

export const hasReached = (place: Place | undefined, token: ConsistencyToken | undefined): boolean =>
  token === undefined || (behindOwn(place, token) === 0n && behindRegions(place, token).length === 0);

/** How many records of this region's log the view lacks up to the token. */
export const behindOwn = (place: Place | undefined, token: ConsistencyToken | undefined): bigint => lacking(place?.next, token?.own);

/** The other regions whose records the view lacks up to the token, and how many. */
export function behindRegions(
  place: Place | undefined,
  token: ConsistencyToken | undefined,
): readonly { readonly region: string; readonly records: bigint }[] {
  return (token?.others ?? [])
    .map(({ region, offset }) => ({ region, records: lacking(place && mirrorOf(place, region)?.reached, offset) }))
    .filter(({ records }) => records > 0n);
}

/** No log is so far ahead. A client may invent a position from which no int64 and no number of JSON could count. */
const lackingMax = BigInt(Number.MAX_SAFE_INTEGER);

/** @param next the offset after the newest record that the view holds */
function lacking(next = 0n, offset: bigint | undefined): bigint {
  if (offset === undefined || next > offset) return 0n;
  const records = offset + 1n - next;
  return records < lackingMax ? records : lackingMax;
}

/** Waits until the partition has reached the token, or `budgetMs` has passed. @throws ViewUnavailable */
export async function waitForToken(
  view: Pick<CartView, 'places'>,
  token: ConsistencyToken,
  options: { readonly clock: Clock; readonly budgetMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const endMs = options.clock.monotonicMs() + Math.min(options.budgetMs, waitMaxMs);
  for (let pollMs = firstPollMs; !options.signal.aborted; pollMs = Math.min(pollMs * 2, pollMaxMs)) {
    const places = await view.places([token.partition]);
    if (hasReached(places.get(token.partition), token)) return;
    const leftMs = endMs - options.clock.monotonicMs();
    if (leftMs <= 0) return;
    await delay(Math.min(pollMs, leftMs));
  }
}
