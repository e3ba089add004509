/**
 * The seal on a guest cart: only one user can ever have it. Two people may sign in with the same guest cookie at the same moment. Then the primary
 * key of `claims` decides. The claim and its announcement share a transaction, so the cart service hears of exactly the claim that won.
 */
import { isGuestSubject } from '@cloakroom/contracts';
import type { Cause } from '@cloakroom/event-log';
import { parseToken, type SessionRecord, type TokenKey } from '@cloakroom/session';
import type { Transaction } from 'kysely';
import type { Auth } from '../auth.ts';
import { newEventId } from '../database/ids.ts';
import { heldSession, isOwn, sessionOfKey } from '../sessions/live-session.ts';
import type { AuthSchema } from '../database/migrations.ts';
import { announceIdentity } from '../database/outbox.ts';

/** The session that the browser held when it signed in. */
export interface Before {
  /** See SessionIssued.current_token_own. */
  readonly own: boolean;
  readonly live?: SessionRecord;
  /** A guest cart whose session was ended by a claim: the browser repeats its sign-in. */
  readonly claimed?: { readonly guestCart: string; readonly userId: string };
  /** The key of a session of the other region, which may be a guest's. Its home knows. */
  readonly abroad?: TokenKey;
}

/** A forged token counts as none. So does one that is dead for another reason than a claim. */
export async function sessionBefore(auth: Auth, token: string): Promise<Before> {
  const live = await heldSession(auth, token, auth.clock.nowMs());
  const own = isOwn(auth, token);
  if (live !== undefined) return { own, live };
  const parsed = parseToken(token, auth.macKeys);
  if (parsed === undefined) return { own };
  const { claimed } = await claimedBefore(auth, parsed.key);
  if (claimed !== undefined) return { own, claimed };
  // Another name than that of the own region may be the former one of either, which the gateways alone know.
  return auth.abroad === undefined || parsed.region === auth.region ? { own } : { own, abroad: parsed.key };
}

/** The same for the other region's auth, which has the key of the session alone. */
export async function guestBefore(auth: Auth, key: TokenKey, nowMs: number): Promise<Before> {
  const live = await sessionOfKey(auth, key, nowMs);
  return live === undefined ? { own: true, ...(await claimedBefore(auth, key)) } : { own: true, live };
}

async function claimedBefore({ database }: Auth, { hash }: TokenKey): Promise<Pick<Before, 'claimed'>> {
  const claim = await database.selectFrom('claims').selectAll().where('guest_hash', '=', hash).executeTakeFirst();
  return claim === undefined ? {} : { claimed: { guestCart: claim.guest_cart, userId: claim.user_id } };
}

/** Returns the guest cart that this user has, or gets, from the browser's session; '' for none. Repeating it changes nothing. */
export async function claimGuestCart(
  auth: Auth,
  trx: Transaction<AuthSchema>,
  cause: Cause,
  before: Before,
  userId: string,
  nowMs: number,
): Promise<string> {
  if (before.claimed !== undefined) return before.claimed.userId === userId ? before.claimed.guestCart : '';
  if (before.abroad !== undefined) await noteClaimAbroad(trx, before.abroad, userId, nowMs);
  const guest = before.live;
  if (guest === undefined || !isGuestSubject(guest.subject)) return '';
  const loginId = newEventId(auth, nowMs);
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('claims')
    .values({
      guest_cart: guest.subject,
      user_id: userId,
      login_id: loginId,
      claimed_at_ms: nowMs,
      guest_tag: guest.tag,
      guest_handle: guest.handle,
      guest_hash: guest.hash,
      guest_expires_at_ms: guest.expiresAtMs,
      closed: 0,
    })
    .onConflict((conflict) => conflict.column('guest_cart').doNothing())
    .executeTakeFirstOrThrow();
  if (numInsertedOrUpdatedRows === 1n) {
    await announceIdentity(trx, cause, userId, {
      eventId: newEventId(auth, nowMs),
      atMs: BigInt(nowMs),
      event: { case: 'guestClaimed', value: { guestCartId: guest.subject, userId, loginId } },
    });
    return guest.subject;
  }
  const { user_id } = await trx.selectFrom('claims').select('user_id').where('guest_cart', '=', guest.subject).executeTakeFirstOrThrow();
  return user_id === userId ? guest.subject : '';
}

/** For claim-abroad.ts. The first person who signs in with this guest's token stays noted. */
async function noteClaimAbroad(trx: Transaction<AuthSchema>, guest: TokenKey, userId: string, nowMs: number): Promise<void> {
  await trx
    .insertInto('claims_abroad')
    .values({ guest_hash: guest.hash, guest_tag: guest.tag, user_id: userId, noted_at_ms: nowMs })
    .onConflict((conflict) => conflict.column('guest_hash').doNothing())
    .execute();
}

/** Runs in the transaction that ends the guest's session, after which the saga has nothing left to do. */
export async function closeClaim(trx: Transaction<AuthSchema>, guestCart: string): Promise<void> {
  await trx.updateTable('claims').set({ closed: 1 }).where('guest_cart', '=', guestCart).execute();
}
