/**
 * A guest of the other region who signs in to an account of this one. The guest's home alone can seal the cart (claim.ts), so home is asked.
 *
 * The transaction of the sign-in notes the question. Home is asked at once, within a bound. Housekeeping asks once more when the sign-in is over, and
 * until home has answered. So a sign-in does not wait for an ocean that is cut, no crash loses the cart, and the browser's old session ends. A question
 * that is repeated changes nothing. Where somebody else has the cart, home says so, and nothing is left to ask.
 */
import { type ClaimGuestRequest, type ErrorCode, isProblem, isUserSubject, problem, type Problem } from '@cloakroom/contracts';
import { forward, type OutgoingCall, type RequestContext } from '@cloakroom/mesh';
import { limits, tagOf } from '@cloakroom/session';
import { type Abroad, askAbroad } from '../accounts/abroad.ts';
import type { Auth } from '../auth.ts';
import type { Database } from '../database/outbox.ts';
import { endSession } from '../revocation/revocations.ts';
import { claimGuestCart, closeClaim, guestBefore } from './claim.ts';
import type { SignIn } from './sign-in.ts';

/** Some round trips of an ocean. A sign-in waits no longer for a cart that housekeeping can claim too. */
const questionBudgetMs = 800;
/** A sign-in has 5 s. Until it is over the browser may still need its old session. */
const settledAfterMs = 10_000;
/** After so many questions without an answer the ocean is cut, and the rest waits for the next time. */
const silentMax = 3;
const pageSize = 100;

/** Asks for the cart that the sign-in has noted. The browser's token stays alive at home where that has not answered: the claim needs it. */
export async function claimAbroad(
  auth: Auth,
  ctx: RequestContext,
  { before: { abroad: guest }, account, claimedGuestCart }: Pick<SignIn, 'before' | 'account' | 'claimedGuestCart'>,
): Promise<{ readonly claimedGuestCart: string; readonly claimWaits: boolean }> {
  if (guest === undefined || auth.abroad === undefined) return { claimedGuestCart, claimWaits: false };
  const asked = { guest_tag: guest.tag, guest_hash: guest.hash, user_id: account.id };
  const claimed = await ask(auth.abroad, forward(ctx), asked, false);
  return { claimedGuestCart: claimed ?? '', claimWaits: claimed === undefined };
}

/**
 * Asks again for each note, once its sign-in is settled, and forgets it with the answer. The browser's old session ends with it, if the person has a
 * new one.
 * @returns how many were answered
 */
export async function finishClaimsAbroad(auth: Auth, newCall: () => OutgoingCall, stopping?: AbortSignal): Promise<number> {
  const { abroad, database, clock } = auth;
  if (abroad === undefined) return 0;
  const nowMs = clock.nowMs();
  let [answered, silent] = [0, 0];
  for (let after = ''; ;) {
    const page = await database
      .selectFrom('claims_abroad')
      .selectAll()
      .where('guest_hash', '>', after)
      .where('noted_at_ms', '<=', nowMs - settledAfterMs)
      .orderBy('guest_hash')
      .limit(pageSize)
      .execute();
    for (const note of page) {
      after = note.guest_hash;
      const sessions = await auth.store.list(tagOf(note.user_id), note.user_id, clock.nowMs());
      // Another replica's clock may have noted it.
      const replaced = sessions.some(({ createdAtMs }) => createdAtMs >= note.noted_at_ms - settledAfterMs);
      if ((await ask(abroad, newCall(), note, replaced)) === undefined) silent += 1;
      else {
        answered += 1;
        await database.deleteFrom('claims_abroad').where('guest_hash', '=', note.guest_hash).where('user_id', '=', note.user_id).execute();
      }
      if (stopping?.aborted === true || silent === silentMax) return answered;
    }
    if (page.length < pageSize) return answered;
  }
}

/**
 * Forgets notes that are older than a session of a guest can be, so home has nothing left to give away.
 * @returns how many were forgotten
 */
export async function pruneClaimsAbroad(database: Database, nowMs: number): Promise<number> {
  const { numDeletedRows } = await database
    .deleteFrom('claims_abroad')
    .where('noted_at_ms', '<=', nowMs - limits.guest.absoluteTimeoutMs)
    .executeTakeFirst();
  return Number(numDeletedRows);
}

interface Asked {
  readonly guest_tag: string;
  readonly guest_hash: string;
  readonly user_id: string;
}

/** @returns the guest cart, '' if this person does not get one, and undefined where home did not answer */
async function ask({ client }: Abroad, call: OutgoingCall, asked: Asked, endsSession: boolean): Promise<string | undefined> {
  const question = { guestTag: asked.guest_tag, guestHash: asked.guest_hash, userId: asked.user_id, endsSession };
  const answer = await askAbroad(call, (sent) => client.claimGuest(sent, question), {
    verdicts: noVerdicts,
    detail: 'The cart of the guest waits for its region.',
    budgetMs: questionBudgetMs,
  });
  return isProblem(answer) ? undefined : answer.guestCart;
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
  if (endsSession) {
    if (live !== undefined) await endSession(auth, ctx, live, (trx) => closeClaim(trx, live.subject));
    // The gateway of the other region has ended it already. The saga of the claim has nothing left to do.
    else if (guestCart !== '') await auth.outbox.commit((trx) => closeClaim(trx, guestCart));
  }
  return { guestCart };
}
