/**
 * Two of the session guarantees of Terry et al. (1994), by one token. Reading one's writes: a command answers with the position of its record,
 * and a read that brings it waits, within a bound, until the view's watermark has passed it. Monotonic reads: a read answers with how far the
 * view had come, and who brings that along is shown no less, or told `stale`, whichever replica or restored view answers. The token is a hint and no secret:
 * a wrong one makes its sender wait 200 ms.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '@cloakroom/platform';
import type { CartView, Place } from '../projection/cart.view.ts';

export interface ConsistencyToken {
  readonly region: string;
  readonly partition: number;
  readonly offset: bigint;
}

/** `<region>:<partition>:<offset>` */
export const formatToken = ({ region, partition, offset }: ConsistencyToken): string => `${region}:${partition}:${offset}`;

/** Undefined for none, for a malformed one, and for one of another partition or region: it says nothing about this cart. */
export function tokenFor(token: string | undefined, region: string, partition: number): ConsistencyToken | undefined {
  const match = /^([a-z0-9-]{1,16}):(\d{1,4}):(\d{1,18})$/.exec(token ?? '');
  if (match === null || match[1] !== region || Number(match[2]) !== partition) return undefined;
  return { region, partition, offset: BigInt(match[3]!) };
}

/** Beyond this a person would rather see a stale cart, marked, than wait. */
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
