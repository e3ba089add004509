/** A guest of one region who signs in to an account of the other, connected and cut. */
import { create } from '@bufbuild/protobuf';
import { ClaimGuestRequestSchema, LogoutRequestSchema, topics } from '@cloakroom/contracts';
import { limits, parseToken } from '@cloakroom/session';
import { startTrace } from '@cloakroom/platform';
import { beforeEach, describe, expect, it } from 'vitest';
import { contextOf, guest, look, ok, outboxOf, signIn, signUp } from '../auth.harness.ts';
import { logout } from '../sessions/logout.ts';
import { claimGuest, finishClaimsAbroad, pruneClaimsAbroad } from './claim-abroad.ts';
import { type TwoRegions, twoRegions } from './two-regions.harness.ts';

const [ada, eve] = ['ada@example.com', 'eve@example.com'];
const openMs = 180_000;
let regions: TwoRegions;
beforeEach(async () => {
  regions = await twoRegions();
  for (const email of [ada, eve]) ok(await signUp(regions.eu, email));
}, openMs);

const noted = () => regions.eu.auth.database.selectFrom('claims_abroad').selectAll().execute();
const claimsOf = async (guestCart: string) =>
  (await outboxOf(regions.us, topics.identityEvents)).filter(({ event }) => event.includes('guestClaimed') && event.includes(guestCart))
    .length;
const claimRow = (guestCart: string) =>
  regions.us.auth.database.selectFrom('claims').select(['user_id', 'closed']).where('guest_cart', '=', guestCart).execute();
const finish = () => {
  const { auth, clock } = regions.eu;
  clock.advance(10_000);
  return finishClaimsAbroad(auth, () => ({ budgetMs: 4_000, trace: startTrace(auth.random) }));
};

describe('a guest of the other region', { timeout: openMs }, () => {
  it('gets the cart claimed at home by the sign-in, once, and the session remembers it', async () => {
    const { eu, us } = regions;
    const { token, subject } = await guest(us);
    const first = ok(await signIn(eu, ada, token));
    expect([first.session!.claimedGuestCart, first.claimWaits]).toEqual([subject, false]);
    expect((await look(eu, first.token!)).session).toMatchObject({ claimedGuestCart: subject });
    // The gateway ends the guest's session once the person has one.
    expect((await look(us, token)).session).toBeDefined();
    expect(ok(await signIn(eu, ada, token)).session!.claimedGuestCart).toBe(subject);
    expect(ok(await signIn(eu, eve, token)).session!.claimedGuestCart, 'somebody else has it').toBe('');
    expect(await claimsOf(subject)).toBe(1);
    const { auth } = regions.eu;
    const tooEarly = await finishClaimsAbroad(auth, () => ({ budgetMs: 4_000, trace: startTrace(auth.random) }));
    expect(tooEarly, 'a sign-in may still be under way').toBe(0);
    expect([await finish(), await noted(), await finish()]).toEqual([1, [], 0]);
    expect([await claimsOf(subject), await claimRow(subject)]).toEqual([1, [{ user_id: first.session!.subject, closed: 1 }]]);
    expect((await look(us, token)).session, 'also if no gateway has ended it').toBeUndefined();
  });

  it('signs in while home is silent, and the cart is claimed after the heal, whichever way the answer was lost', async () => {
    const { eu, us, ocean } = regions;
    for (const trouble of [{ isCut: true }, { losesAnswers: true }]) {
      const { token, subject } = await guest(us);
      Object.assign(ocean, trouble);
      const { session, claimWaits } = ok(await signIn(eu, ada, token));
      expect([session!.claimedGuestCart, claimWaits]).toEqual(['', true]);
      expect([await finish(), await noted()]).toEqual([0, [expect.objectContaining({ user_id: session!.subject })]]);
      Object.assign(ocean, { isCut: false, losesAnswers: false });
      expect([await finish(), await noted(), await finish()]).toEqual([1, [], 0]);
      expect(await claimsOf(subject)).toBe(1);
      expect((await look(us, token)).session, 'it ends with the claim').toBeUndefined();
      expect(await claimRow(subject)).toEqual([{ user_id: session!.subject, closed: 1 }]);
    }
  });

  it('whose cart somebody else claimed at home in the cut loses it to that person, and nothing waits any more', async () => {
    const { eu, us, ocean } = regions;
    const { token, subject } = await guest(us);
    ocean.isCut = true;
    expect(ok(await signIn(eu, ada, token)).claimWaits).toBe(true);
    const atHome = ok(await signUp(us, 'grace@example.com', token));
    expect(atHome.session!.claimedGuestCart).toBe(subject);
    ocean.isCut = false;
    expect([await finish(), await noted(), await claimsOf(subject)]).toEqual([1, [], 1]);
  });

  it('keeps the session where the sign-in brought none, and the cart is the person’s', async () => {
    const { eu, us, ocean } = regions;
    const { token, subject } = await guest(us);
    // The session of the sign-up is older.
    eu.clock.advance(60_000);
    ocean.isCut = true;
    const begun = ok(await signIn(eu, ada, token));
    await logout(eu.auth, contextOf(), create(LogoutRequestSchema, { token: begun.token! }));
    ocean.isCut = false;
    expect([await finish(), await claimRow(subject)]).toEqual([1, [{ user_id: begun.session!.subject, closed: 0 }]]);
    expect((await look(us, token)).session).toMatchObject({ subject });
  });

  it('is asked for no longer than a guest can live', async () => {
    const { eu, us, ocean } = regions;
    const { token } = await guest(us);
    ocean.isCut = true;
    expect(ok(await signIn(eu, ada, token)).claimWaits).toBe(true);
    const forget = () => pruneClaimsAbroad(eu.auth.database, eu.clock.nowMs());
    eu.clock.advance(limits.guest.absoluteTimeoutMs - 1);
    expect([await forget(), await noted()]).toEqual([0, [expect.objectContaining({ guest_hash: expect.any(String) })]]);
    eu.clock.advance(1);
    expect([await forget(), await noted()]).toEqual([1, []]);
  });

  it('whose session is of before its region had that name gets the cart too', async () => {
    const { eu, us } = regions;
    const { token, subject } = await guest({ ...us, auth: { ...us.auth, region: 'local' } });
    expect(ok(await signIn(eu, ada, token)).session!.claimedGuestCart).toBe(subject);
    // At a page of the other region it is home that claims.
    const atHome = await guest({ ...eu, auth: { ...eu.auth, region: 'local' } });
    expect(ok(await signIn(us, ada, atHome.token)).session!.claimedGuestCart).toBe(atHome.subject);
  });

  it('who is no guest, or whose token is forged, has no cart to claim', async () => {
    const { eu, us, ocean } = regions;
    const person = ok(await signUp(us, 'zoe@example.com'));
    expect(ok(await signIn(eu, ada, person.token!))).toMatchObject({ claimWaits: false, session: { claimedGuestCart: '' } });
    expect((await look(us, person.token!)).session, 'the gateway ends it').toBeDefined();
    ocean.isCut = true;
    expect(ok(await signIn(eu, ada, person.token!)).claimWaits, 'only home knows whose it is').toBe(true);
    ocean.isCut = false;
    expect([await finish(), (await look(us, person.token!)).session], 'a session that was replaced ends').toEqual([1, undefined]);
    const { token } = await guest(us);
    const forged = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`;
    expect(ok(await signIn(eu, ada, forged))).toMatchObject({ claimWaits: false, session: { claimedGuestCart: '' } });
    expect(await noted()).toEqual([]);
  });

  it('is not claimed for a guest, nor where there is one region', async () => {
    const { us } = regions;
    const { token, subject } = await guest(us);
    const { tag, hash } = parseToken(token, us.auth.macKeys)!.key;
    const ask = (auth: TwoRegions['us']['auth'] | (Omit<TwoRegions['us']['auth'], 'abroad'> & { abroad?: undefined }), userId: string) =>
      claimGuest(auth, contextOf(), create(ClaimGuestRequestSchema, { guestTag: tag, guestHash: hash, userId }));
    expect(await ask(us.auth, subject)).toMatchObject({ problem: 'forbidden' });
    const { abroad: _none, ...alone } = us.auth;
    expect(await ask(alone, 'u_1')).toMatchObject({ problem: 'forbidden' });
    expect(await claimsOf(subject)).toBe(0);
  });
});
