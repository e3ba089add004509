/**
 * A guest of the other region who signs in to an account of this one. The guest's home alone can seal the cart (claim.ts), so home is asked.
 *
 * The transaction of the sign-in notes the question. Home is asked at once, within a bound, and by housekeeping until it has answered. So a sign-in does
 * not wait for an ocean that is cut, and no crash loses the cart. A question that is repeated changes nothing. Where somebody else has the cart, home
 * says so, and nothing is left to ask.
 */
import { type ClaimGuestRequest, type ErrorCode, isProblem, isUserSubject, problem, type Problem } from '@cloakroom/contracts';
import { forward, type OutgoingCall, type RequestContext } from '@cloakroom/mesh';
import { type Abroad, askAbroad } from '../accounts/abroad.ts';
import type { Auth } from '../auth.ts';
import { endSession } from '../revocation/revocations.ts';
import { limits } from '@cloakroom/session';
import { claimGuestCart, closeClaim, guestBefore } from './claim.ts';
import type { SignIn } from './sign-in.ts';

/** Some round trips of an ocean. A sign-in waits no longer for a cart that housekeeping can claim too. */
const questionBudgetMs = 800;
const pageSize = 100;

/** Asks for the cart that the sign-in has noted. The browser's token stays alive at home where that has not answered: the claim needs it. */
export async function claimAbroad(
  auth: Auth,
  ctx: RequestContext,
  { before: { abroad: guest }, account, claimedGuestCart }: Pick<SignIn, 'before' | 'account' | 'claimedGuestCart'>,
): Promise<{ readonly claimedGuestCart: string; readonly claimWaits: boolean }> {
  if (guest === undefined || auth.abroad === undefined) return { claimedGuestCart, claimWaits: false };
  const asked = { guest_tag: guest.tag, guest_hash: guest.hash, user_id: account.id };
  const claimed = await ask(auth, auth.abroad, forward(ctx), asked, false);
  return { claimedGuestCart: claimed ?? '', claimWaits: claimed === undefined };
}

/**
 * Ends where the guests' home does not answer; the rest waits for the next time. Forgets what is older than a session of a guest can be.
 * @returns how many claims were answered
 */
export async function finishClaimsAbroad(auth: Auth, newCall: () => OutgoingCall, stopping?: AbortSignal): Promise<number> {
  const { abroad, database, clock } = auth;
  if (abroad === undefined) return 0;
  await database
    .deleteFrom('claims_abroad')
    .where('noted_at_ms', '<=', clock.nowMs() - limits.guest.absoluteTimeoutMs)
    .execute();
  for (let answered = 0; ;) {
    const page = await database.selectFrom('claims_abroad').selectAll().orderBy('guest_hash').limit(pageSize).execute();
    for (const claim of page) {
      if (stopping?.aborted === true || (await ask(auth, abroad, newCall(), claim, true)) === undefined) return answered;
      answered += 1;
    }
    if (page.length < pageSize) return answered;
  }
}

interface Asked {
  readonly guest_tag: string;
  readonly guest_hash: string;
  readonly user_id: string;
}

/** @returns the guest cart, '' if this person does not get one, and undefined where home did not answer */
async function ask(auth: Auth, abroad: Abroad, call: OutgoingCall, asked: Asked, endsSession: boolean): Promise<string | undefined> {
  const { guest_tag: guestTag, guest_hash: guestHash, user_id: userId } = asked;
  const question = { guestTag, guestHash, userId, endsSession };
  const answer = await askAbroad(call, (sent) => abroad.client.claimGuest(sent, question), {
    verdicts: noVerdicts,
    detail: 'The cart of the guest waits for its region.',
    budgetMs: questionBudgetMs,
  });
  if (isProblem(answer)) return undefined;
  await auth.outbox.commit((trx) =>
    trx.deleteFrom('claims_abroad').where('guest_hash', '=', guestHash).where('user_id', '=', userId).execute(),
  );
  return answer.guestCart;
}

const noVerdicts: ReadonlySet<ErrorCode> = new Set();

/**
 * The answer of the guest's home. It believes the other auth that the person has signed in with this guest's token, as it believes it about passwords.
 * @param request.endsSession the sign-in is long over, so the browser's old session ends with this, whoever's it is
 */
export async function claimGuest(
  auth: Auth,
  ctx: RequestContext,
  { guestTag, guestHash, userId, endsSession }: ClaimGuestRequest,
): Promise<{ readonly guestCart: string } | Problem> {
  if (auth.abroad === undefined || !isUserSubject(userId)) return problem('forbidden');
  const nowMs = auth.clock.nowMs();
  const before = await guestBefore(auth, { tag: guestTag, hash: guestHash }, nowMs);
  const guestCart = await auth.outbox.commit((trx) => claimGuestCart(auth, trx, ctx, before, userId, nowMs));
  const { live } = before;
  if (endsSession && live !== undefined)
    await endSession(auth, ctx, live, live.subject === guestCart ? (trx) => closeClaim(trx, guestCart) : undefined);
  return { guestCart };
}
