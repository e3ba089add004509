/** The words that the page uses while the outcome of a command is unknown. docs/tour.md quotes them, and a test compares the two. */
import type { Cart, Session, SignedIn } from '@cloakroom/contracts/http';
import type { CartOwner } from '../api/outbox.ts';
import { plural } from '../format.ts';
import type { PendingCommand } from '../api/pending-store.ts';

export function pendingWords({ about, stopped }: Pick<PendingCommand, 'about' | 'stopped'>): string {
  return stopped
    ? `No answer for ten minutes about ${about}. It may or may not have been taken. Asking again is safe: it counts once.`
    : `Not sure yet about ${about}. Still asking; it counts once.`;
}

/** @param isUnsure a command of this cart may or may not have been taken, so the words do not promise that it will appear */
export function staleWords({ behind, behindRegions = [] }: Pick<Cart, 'behind' | 'behindRegions'>, isUnsure: boolean): string {
  const state = behind === 0 ? 'Showing an older state.' : `Showing an older state, ${plural(behind, 'event')} behind.`;
  if (behind === 0 && behindRegions.length > 0) {
    const missing = behindRegions.map(({ region, records }) => `${plural(records, 'event')} of ${region}`).join(' and ');
    return `${missing} ${behindRegions.length === 1 && behindRegions[0]!.records === 1 ? 'is' : 'are'} not here yet, and will appear.`;
  }
  return isUnsure ? `${state} What was confirmed is saved and will appear.` : `${state} All changes are saved and will appear.`;
}

export const takenWords = (about: string): string => `Done after all: ${about}.`;
export const refusedWords = (about: string, reason: string): string => `Not taken: ${about}. ${reason}`;
export const droppedWords = (count: number): string =>
  `The guest session has ended, and its cart with it. ${plural(count, 'change')} of it ${count === 1 ? 'is' : 'are'} not asked for any more.`;
/** Other people may use this device, so these words name no product. */
export const keptWords = (count: number): string =>
  `${plural(count, 'change')} of your cart ${count === 1 ? 'is' : 'are'} not confirmed yet. This tab asks again once you sign in here, and never as somebody else.`;

export function ownerOf(session: (Session & Pick<SignedIn, 'cartWaitsFor'>) | undefined): CartOwner | undefined {
  if (session?.cartId === undefined) return undefined;
  const { cartId, claimedGuestCart, cartWaitsFor } = session;
  return { cartId, ...(claimedGuestCart !== undefined && { claimedGuestCart }), ...(cartWaitsFor !== undefined && { guestWaits: true }) };
}
