/** Sign-in of an account that lives in the other region, connected and cut. Neither answer nor time tells who has an account, or where. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  isProblem,
  type LoginAtHomeRequest,
  type LoginRequest,
  LoginRequestSchema,
  problem,
  type SecondFactorChallengeSchema,
} from '@cloakroom/contracts';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { secondHalf, withApp } from '../account.harness.ts';
import { contextOf, guest, type Harness, look, ok, outboxOf, password, signIn, signUp } from '../auth.harness.ts';
import { login } from './login.ts';
import { throttleLimits } from '../throttle/throttle.ts';
import { type TwoRegions, twoRegions } from './two-regions.harness.ts';

const [atEu, atUs, nobody] = ['ada@example.com', 'grace@example.com', 'nobody@example.com'];

/** A pair for all tests, as each opens two databases. Between tests the counts of failures run out. */
let regions: TwoRegions;
const openMs = 180_000;
async function people(options?: Parameters<typeof twoRegions>[0]): Promise<TwoRegions> {
  const opened = await twoRegions(options);
  ok(await signUp(opened.eu, atEu));
  ok(await signUp(opened.us, atUs));
  return opened;
}
function later({ eu, us, ocean }: TwoRegions): void {
  for (const { clock, slept } of [eu, us]) {
    clock.advance(3_600_000);
    slept.length = 0;
  }
  ocean.isCut = false;
  ocean.asked.length = 0;
}
beforeAll(async () => {
  regions = await people();
}, openMs);
beforeEach(() => later(regions));

const wrong = ({ auth }: Harness, email: string, more: MessageInitShape<typeof LoginRequestSchema> = {}) =>
  login(auth, contextOf(), create(LoginRequestSchema, { email, password: 'wrong', remoteAddress: '192.0.2.1', ...more }));

/** The same region, where home's answers come through `home`. */
function hearing<Region extends TwoRegions['eu']>(region: Region, home: Region['auth']['abroad']['client']['loginAtHome']): Region {
  const { abroad } = region.auth;
  return { ...region, auth: { ...region.auth, abroad: { ...abroad, client: { ...abroad.client, loginAtHome: home } } } };
}

const codesOf = async (answers: readonly Promise<object>[]) =>
  (await Promise.all(answers)).map((answer) => (isProblem(answer) ? answer.problem : 'signed in'));

describe('connected', { timeout: openMs }, () => {
  it('an account of the other region signs in here, and its session lives at home', async () => {
    const { eu, us, ocean } = regions;
    const { token, session } = ok(await signIn(eu, atUs));
    expect([session!.region, session!.email, ocean.asked.length]).toEqual(['us', atUs, 1]);
    expect(token).toMatch(/^v1\.us\./);
    expect((await look(us, token!)).session).toMatchObject({ email: atUs, region: 'us' });
    expect((await look(eu, token!)).session).toBeUndefined();
    const stored = await eu.auth.database.selectFrom('accounts').select('email').where('email', '=', atUs).execute();
    expect(stored, 'nothing of the account is kept abroad').toEqual([]);
  });

  it('an account of this region asks nobody', async () => {
    const { eu, ocean } = regions;
    expect(ok(await signIn(eu, atEu)).session).toMatchObject({ region: 'eu' });
    expect(ocean.asked).toEqual([]);
  });

  it('a wrong password of an account of this region does not leave it', async () => {
    const { eu, ocean } = regions;
    expect(await wrong(eu, atEu)).toMatchObject({ problem: 'invalid_credentials' });
    const { login: sent, decoy } = ocean.asked[0]!.request as LoginAtHomeRequest;
    expect([ocean.asked.length, decoy, sent]).toEqual([1, true, { email: expect.any(String) as string, remoteAddress: '192.0.2.1' }]);
    expect(sent!.email, 'a name for the count alone').not.toContain('@');
  });

  it('a guest cart of this region goes to the person, and the browser that repeats the sign-in claims nothing twice', async () => {
    const { eu } = regions;
    const { token, subject } = await guest(eu);
    const { session, currentTokenOwn } = ok(await signIn(eu, atUs, token));
    expect([session!.claimedGuestCart, currentTokenOwn]).toEqual([subject, true]);
    expect((await look(eu, token)).session).toBeUndefined();
    expect(ok(await signIn(eu, atUs, token)).session!.claimedGuestCart).toBe(subject);
    const claims = await eu.auth.database.selectFrom('claims').select(['user_id', 'closed']).where('guest_cart', '=', subject).execute();
    expect(claims).toEqual([{ user_id: session!.subject, closed: 1 }]);
    expect((await outboxOf(eu)).filter(({ event }) => event.includes('guestClaimed') && event.includes(subject))).toHaveLength(1);
  });

  it('an account with a second factor goes on at home, from here', async () => {
    const { eu, us, ocean } = regions;
    const email = 'two-step@example.com';
    const app = await withApp({ harness: us, token: ok(await signUp(us, email)).token! });
    const { token, subject } = await guest(eu);
    const { secondFactor } = ok(await signIn(eu, email, token)) as { secondFactor?: MessageInitShape<typeof SecondFactorChallengeSchema> };
    expect((await look(eu, token)).session, 'half a sign-in claims nothing').toBeDefined();
    const answer = (value: string) => secondHalf(eu, secondFactor!.challenge!, { case: 'code', value }, token);
    expect(await answer('000000')).toMatchObject({ problem: 'invalid_second_factor' });
    ocean.isCut = true;
    const silence = { problem: 'home_region_unreachable', detail: expect.not.stringContaining('password') as string };
    expect(await answer('000000')).toMatchObject(silence);
    ocean.isCut = false;
    expect(ok(await answer(app.code())).session).toMatchObject({ region: 'us', claimedGuestCart: subject });
    expect((await look(eu, token)).session).toBeUndefined();
  });

  it('a home that speaks for a session of another region is not believed', async () => {
    const { eu } = regions;
    const { loginAtHome } = eu.auth.abroad.client;
    const forged = hearing(eu, async (...sent) => {
      const answer = await loginAtHome(...sent);
      if (!isProblem(answer)) answer.session!.region = 'eu';
      return answer;
    });
    expect(await signIn(forged, atUs)).toMatchObject({ problem: 'identity_unavailable' });
  });

  it("a session's token goes to its home alone", async () => {
    const { eu, us, ocean } = regions;
    const ofEu = ok(await signIn(eu, atEu)).token!;
    const ofUs = ok(await signIn(us, atUs)).token!;
    for (const currentToken of [ofEu, ofUs, '']) {
      await wrong(eu, atUs, { currentToken });
      await secondHalf(eu, 'us.1', { case: 'code', value: '000000' }, currentToken);
    }
    const sent = ocean.asked.map(
      ({ request }) => ('login' in request ? (request.login as LoginRequest) : (request as LoginRequest)).currentToken,
    );
    expect(sent).toEqual(['', '', ofUs, ofUs, '', '']);
  });
});

describe('limits', { timeout: openMs }, () => {
  const failures = throttleLimits.accountFailures;
  const guesses = (region: Harness, email: string, count: number) =>
    Array.from({ length: count }).reduce<Promise<unknown>>((last) => last.then(() => wrong(region, email)), Promise.resolve());

  it('ten guesses are all, whatever the side that they are sent to, and whoever has the address', async () => {
    const splits = [4, failures, 0];
    for (const [email, atFirst] of [atEu, atUs, nobody].flatMap((each) => splits.map((count) => [each, count] as const))) {
      later(regions);
      const { eu, us } = regions;
      await guesses(eu, email, atFirst);
      await guesses(us, email, failures - atFirst);
      expect(await codesOf([wrong(eu, email), wrong(us, email)])).toEqual(['too_many_attempts', 'too_many_attempts']);
      // The right password helps nobody then, on either side.
      expect(await codesOf([signIn(eu, email), signIn(us, email)])).toEqual(['too_many_attempts', 'too_many_attempts']);
    }
  });

  it('a guess whose answer is not awaited counts too, and so does one that home answers with a trouble of its own', async () => {
    const { eu } = regions;
    for (const trouble of ['cancelled', 'too_many_requests', 'invalid_request'] as const) {
      later(regions);
      const troubled = hearing(eu, () => Promise.resolve(problem(trouble)));
      for (const email of [atEu, atUs, nobody]) {
        for (let i = 0; i < failures; i++) expect(await wrong(troubled, email)).toMatchObject({ problem: 'home_region_unreachable' });
        expect(await codesOf([wrong(eu, email)])).toEqual(['too_many_attempts']);
      }
    }
  });

  it('an owner who mistypes on a known device is answered from here, whatever strangers have used up', async () => {
    const { eu, ocean } = regions;
    const knownDevice = ok(await signIn(eu, atEu)).knownDevice!;
    await guesses(eu, atEu, failures);
    ocean.asked.length = eu.slept.length = 0;
    for (let i = 0; i < 4; i++) expect(await wrong(eu, atEu, { knownDevice })).toMatchObject({ problem: 'invalid_credentials' });
    expect([ocean.asked, eu.slept.at(-1)]).toEqual([[], 100]);
  });

  it('a stranger who uses up the guesses keeps no owner on a known device out', async () => {
    const { eu } = regions;
    const knownDevice = ok(await signIn(eu, atUs)).knownDevice!;
    await guesses(eu, atUs, failures);
    expect(await wrong(eu, atUs)).toMatchObject({ problem: 'too_many_attempts' });
    expect(await wrong(eu, atUs, { password, knownDevice })).toMatchObject({ session: { region: 'us' } });
  });

  it('successes cost nothing, on neither side', async () => {
    const { eu } = regions;
    const { addressFailures } = throttleLimits;
    for (let i = 0; i < addressFailures; i++) ok(await signIn(eu, atUs));
    const remoteAddress = '127.0.0.1';
    expect(await codesOf([wrong(eu, atEu, { remoteAddress }), wrong(eu, atUs, { remoteAddress })])).toEqual(
      Array(2).fill('invalid_credentials'),
    );
  });

  it('an address that is used up is refused for every account alike', async () => {
    const narrow = await people({ limits: { ...throttleLimits, accountFailures: 100, addressFailures: 5 } });
    const { eu } = narrow;
    for (const first of [atEu, nobody]) {
      later(narrow);
      await guesses(eu, first, 5);
      expect(await codesOf([wrong(eu, atEu), wrong(eu, atUs), wrong(eu, nobody)])).toEqual(Array(3).fill('too_many_attempts'));
    }
  });

  it('the waits after failures are the same, whoever has the address', async () => {
    const waits = [];
    for (const email of [atEu, atUs, nobody]) {
      later(regions);
      const { eu, us } = regions;
      await guesses(eu, email, failures);
      waits.push([...eu.slept, ...us.slept].filter((ms) => ms > 0));
    }
    expect(waits[1]).toEqual(waits[0]);
    expect(waits[2]).toEqual(waits[0]);
    expect(waits[0]!.length).toBeGreaterThan(3);
  });

  it('every failure costs the same work on both sides, and one question across', async () => {
    const { eu, us, ocean } = regions;
    const hashed: string[] = [];
    const own = [eu, us].map(({ auth }) => auth.passwords);
    for (const { auth } of [eu, us]) {
      const { passwords, region } = auth;
      const matches: typeof passwords.matches = (...asked) => {
        hashed.push(region);
        return passwords.matches(...asked);
      };
      Object.assign(auth, { passwords: { ...passwords, matches } });
    }
    const costs = [];
    const refusals = [];
    for (const email of [atEu, atUs, nobody]) {
      hashed.length = ocean.asked.length = 0;
      expect(await wrong(eu, email)).toEqual(problem('invalid_credentials'));
      costs.push([[...hashed], ocean.asked.length]);
      // So does a refusal by count: one question and no hash.
      await guesses(eu, email, failures - 1);
      hashed.length = ocean.asked.length = 0;
      expect(await wrong(eu, email)).toMatchObject({ problem: 'too_many_attempts' });
      refusals.push([[...hashed], ocean.asked.length]);
    }
    for (const [at, { auth }] of [eu, us].entries()) Object.assign(auth, { passwords: own[at] });
    expect(costs).toEqual(Array(3).fill([['eu', 'us'], 1]));
    expect(refusals).toEqual(Array(3).fill([[], 1]));
  });
});

describe('cut', { timeout: openMs }, () => {
  it('accounts of this region sign in, and every failure is told in the same words', async () => {
    const { eu, ocean } = regions;
    ocean.isCut = true;
    expect(ok(await signIn(eu, atEu)).session).toMatchObject({ region: 'eu' });
    const [here, there, unknown] = [await wrong(eu, atEu), await signIn(eu, atUs), await wrong(eu, nobody)];
    expect(here).toMatchObject({ problem: 'home_region_unreachable', detail: expect.stringContaining('"us"') as string });
    expect([there, unknown]).toEqual([here, here]);
    ocean.isCut = false;
    expect(ok(await signIn(eu, atUs)).session).toMatchObject({ region: 'us' });
  });

  it('a guest keeps the cart and the session when the sign-in is refused', async () => {
    const { eu, ocean } = regions;
    const { token, subject } = await guest(eu);
    ocean.isCut = true;
    expect(await signIn(eu, atUs, token)).toMatchObject({ problem: 'home_region_unreachable' });
    expect((await look(eu, token)).session).toBeDefined();
    expect(await eu.auth.database.selectFrom('claims').selectAll().where('guest_cart', '=', subject).execute()).toEqual([]);
  });

  it('guesses are limited for every address alike', async () => {
    const { eu, ocean } = regions;
    ocean.isCut = true;
    const told = [];
    for (const email of [atEu, atUs, nobody]) {
      const codes = [];
      for (let i = 0; i <= throttleLimits.accountFailures; i++) codes.push(...(await codesOf([wrong(eu, email)])));
      told.push(codes);
    }
    expect(told[0]!.at(-1)).toBe('too_many_attempts');
    expect([told[1], told[2]]).toEqual([told[0], told[0]]);
    // After the heal a wrong password gets the same refusal as in the cut. The guesses of the cut keep no owner out.
    ocean.isCut = false;
    expect(await codesOf([wrong(eu, atEu), wrong(eu, atUs), wrong(eu, nobody)])).toEqual(Array(3).fill('too_many_attempts'));
    expect(ok(await signIn(eu, atUs)).session).toMatchObject({ region: 'us' });
  });
});
