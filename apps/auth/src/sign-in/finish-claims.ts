/**
 * Finishes sign-ins that broke between "the user has a session" and "the guest's session is ended", and that no client repeats. The user's session
 * remembers the guest cart it claimed. If there is such a session, this ends the guest's session. If there is none, the guest keeps their session,
 * since nothing has replaced it yet.
 */
import { tagOf } from '@cloakroom/session';
import type { Auth } from '../auth.ts';
import { closeClaim } from './claim.ts';
import { endSession } from '../revocation/revocations.ts';

/** Far beyond the budget of a sign-in (5 s), so that a sign-in still under way is not disturbed. */
const settledAfterMs = 30_000;
const pageSize = 100;

/** @returns how many sign-ins were finished */
export async function finishClaims(auth: Auth): Promise<number> {
  const nowMs = auth.clock.nowMs();
  let finished = 0;
  for (let after = ''; ;) {
    const page = await auth.database
      .selectFrom('claims')
      .selectAll()
      .where('closed', '=', 0)
      .where('guest_cart', '>', after)
      .where('claimed_at_ms', '<=', nowMs - settledAfterMs)
      .orderBy('guest_cart')
      .limit(pageSize)
      .execute();
    for (const claim of page) {
      after = claim.guest_cart;
      const replaced = (await auth.store.list(tagOf(claim.user_id), claim.user_id, nowMs)).some(
        (session) => session.claimedGuestCart === claim.guest_cart,
      );
      const expired = claim.guest_expires_at_ms <= nowMs;
      if (!replaced && !expired) continue;
      const guest = {
        tag: claim.guest_tag,
        hash: claim.guest_hash,
        handle: claim.guest_handle,
        subject: claim.guest_cart,
        expiresAtMs: claim.guest_expires_at_ms,
      };
      if (expired) await auth.outbox.commit((trx) => closeClaim(trx, claim.guest_cart));
      else await endSession(auth, undefined, guest, (trx) => closeClaim(trx, claim.guest_cart));
      finished += 1;
    }
    if (page.length < pageSize) return finished;
  }
}
