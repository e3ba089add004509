/**
 * One token gives two of the session guarantees of Terry et al. (1994).
 *
 * - Read your writes: a command answers with the position of its record. A read that brings this token waits, within a bound, until the
 *   view's watermark has passed the position.
 * - Monotonic reads: a read answers with the position that the view had reached. A later read that brings this token shows no less, or says
 *   `stale`, whichever replica or restored view answers.
 *
 * The token is a hint and not a secret: a wrong one only makes its sender wait 200 ms.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { consistencyTokenPattern, partitionOf } from '@cloakroom/contracts';
import type { Clock } from '@cloakroom/platform';
import type { CartParts } from '../cart.dependencies.ts';
import type { CartView, Place } from '../projection/cart.view.ts';

/** Events and snapshots of a cart have the same partition number, because the topics have the same number of partitions. */
export const partitionOfCart = (parts: Pick<CartParts, 'topics'>, cartId: string): number => partitionOf(cartId, parts.topics.events);

export interface ConsistencyToken {
  readonly region: string;
  readonly partition: number;
  readonly offset: bigint;
}

export const formatToken = ({ region, partition, offset }: ConsistencyToken): string => `${region}:${partition}:${offset}`;

/** @returns undefined for a missing or malformed token, and for one of another partition or region, which says nothing about this cart */
export function tokenFor(token: string | undefined, region: string, partition: number): ConsistencyToken | undefined {
  const match = consistencyTokenPattern.exec(token ?? '');
  if (match === null || match[1] !== region || Number(match[2]) !== partition) return undefined;
  return { region, partition, offset: BigInt(match[3]!) };
}

/** After this, a cart that is marked as stale is better for the person than a longer wait. */
export const waitMaxMs = 200;
/** A healthy projector needs 2 to 10 ms; polling doubles from 2 ms, so a wait costs at most 12 looks. */
const firstPollMs = 2;
const pollMaxMs = 25;

export const hasReached = (place: Place | undefined, token: ConsistencyToken | undefined): boolean =>
  token === undefined || (place !== undefined && place.next > token.offset);

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
