/** One address, one account, in two regions: connected, cut, with lost answers, and with both sides at once. */
import { create } from '@bufbuild/protobuf';
import { ChangeEmailRequestSchema, deciderOf, isProblem, SessionState } from '@cloakroom/contracts';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { contextOf, type Harness, ok, personWith, signIn, signUp } from '../auth.harness.ts';
import { newAccount } from './accounts.ts';
import { addressHash } from '../database/migrations.homes.ts';
import { throttleLimits } from '../throttle/throttle.ts';
import { seedAccounts } from './seed-accounts.ts';
import { changeEmail } from '../sign-in/change-email.ts';
import { type TwoRegions, twoRegions } from '../sign-in/two-regions.harness.ts';
import { tellDeciders } from './tell-deciders.ts';

const names = ['eu', 'us'] as const;
/** A pair for all tests, as each opens two databases. Each test takes addresses of its own. */
let regions: TwoRegions;
const openMs = 180_000;
beforeAll(async () => {
  regions = await twoRegions();
}, openMs);
beforeEach(() => {
  Object.assign(regions.ocean, { delay: undefined, isCut: false, losesAnswers: false });
  // Counts of failures are over.
  for (const { clock } of [regions.eu, regions.us]) clock.advance(3_600_000);
});

/** Addresses that a region decides, another one at each call. */
let drawn = 0;
function decidedBy(region: string): string {
  for (;;) {
    const email = `person-${(drawn += 1)}@example.com`;
    if (deciderOf(email, names) === region) return email;
  }
}

const codeOf = async (answer: Promise<object>): Promise<string> => {
  const told = await answer;
  return isProblem(told) ? told.problem : 'signed up';
};
const homesOf = async (email: string): Promise<string[]> => {
  const rows = await Promise.all(
    [regions.eu, regions.us].map(({ auth }) => auth.database.selectFrom('accounts').select('home').where('email', '=', email).execute()),
  );
  return rows.flat().map(({ home }) => home);
};
const newCall = () => ({ budgetMs: 1_000, trace: contextOf().trace });
const renamed = async (harness: Harness, token: string, email: string) =>
  changeEmail(
    harness.auth,
    await personWith(harness, token),
    create(ChangeEmailRequestSchema, { email, token, remoteAddress: '192.0.2.1' }),
  );

describe('connected', { timeout: openMs }, () => {
  it('whoever decides an address, its account lives where it was made, and the other side cannot take it', async () => {
    for (const decider of names)
      for (const [home, other] of [names, names.toReversed()] as const) {
        const email = decidedBy(decider);
        expect(ok(await signUp(regions[home!], email)).session).toMatchObject({ region: home, state: SessionState.USER });
        expect(await codeOf(signUp(regions[other!], email))).toBe('email_taken');
        expect(await homesOf(email)).toEqual([home]);
        expect(ok(await signIn(regions[other!], email)).session).toMatchObject({ region: home });
      }
  });

  it('an address that was given up by a change of e-mail can be had on either side, and a taken one on none', async () => {
    for (const decider of names)
      for (const [home, other] of [names, names.toReversed()] as const) {
        const [first, second] = [decidedBy(decider), decidedBy(decider)];
        const { token } = ok(await signUp(regions[home!], first));
        ok(await signUp(regions[other!], second));
        expect(await renamed(regions[home!], token!, second)).toMatchObject({ problem: 'email_taken' });
        ok(await renamed(regions[home!], token!, decidedBy(decider)));
        expect(await codeOf(signUp(regions[other!], first))).toBe('signed up');
        expect(await codeOf(signUp(regions[home!], first))).toBe('email_taken');
        expect(await homesOf(first)).toEqual([other]);
      }
  });

  it('a sign-up that broke after the claim blocks the address on neither side', async () => {
    for (const retry of names) {
      const email = decidedBy('eu');
      regions.ocean.losesAnswers = true;
      expect(await codeOf(signUp(regions.us, email))).toBe('home_region_unreachable');
      const given = regions.eu.auth.database.selectFrom('given_addresses').selectAll().where('email_sha256', '=', addressHash(email));
      expect(await given.execute()).toHaveLength(1);
      regions.ocean.losesAnswers = false;
      expect(await codeOf(signUp(regions[retry], email))).toBe('signed up');
      expect(await homesOf(email)).toEqual([retry]);
    }
  });

  it('an address that was asked back in vain can still be had where it was given', async () => {
    const email = decidedBy('eu');
    regions.ocean.losesAnswers = true;
    expect(await codeOf(signUp(regions.us, email))).toBe('home_region_unreachable');
    expect(await codeOf(signUp(regions.eu, email))).toBe('home_region_unreachable');
    regions.ocean.losesAnswers = false;
    expect(await codeOf(signUp(regions.us, email))).toBe('signed up');
    expect(await homesOf(email)).toEqual(['us']);
  });

  it('a sign-up that was overtaken after its claim makes no second account', async () => {
    const email = decidedBy('eu');
    const { passwords } = regions.us.auth;
    // While us hashes the password, after its claim, somebody signs up in eu.
    const overtaken: typeof passwords.hash = async (text) => {
      expect(await codeOf(signUp(regions.eu, email))).toBe('signed up');
      return passwords.hash(text);
    };
    Object.assign(regions.us.auth, { passwords: { ...passwords, hash: overtaken } });
    expect(await codeOf(signUp(regions.us, email))).toBe('email_taken');
    Object.assign(regions.us.auth, { passwords });
    expect(await homesOf(email)).toEqual(['eu']);
  });

  it('accounts from before get the home of their database, and the other side hears of their addresses', async () => {
    const email = decidedBy('us');
    const { abroad: _, ...before } = regions.eu.auth;
    ok(await signUp({ ...regions.eu, auth: before }, email));
    expect(await homesOf(email)).toEqual(['']);
    regions.ocean.isCut = true;
    expect(await tellDeciders(regions.eu.auth, newCall)).toBe(0);
    regions.ocean.isCut = false;
    expect([await tellDeciders(regions.eu.auth, newCall), await tellDeciders(regions.eu.auth, newCall)]).toEqual([1, 0]);
    expect(await homesOf(email)).toEqual(['eu']);
    expect(await codeOf(signUp(regions.us, email))).toBe('email_taken');
    expect(await tellDeciders({ ...before }, newCall), 'one region asks nobody').toBe(0);
  });

  it('more accounts from before than one question are all told, and one that both sides have stays on both', async () => {
    const { eu, us } = regions;
    const { abroad: _, ...before } = eu.auth;
    const email = decidedBy('us');
    ok(await signUp(us, email));
    const rows = [email, ...Array.from({ length: 120 }, () => decidedBy('us'))].map((each, at) => ({
      ...newAccount,
      id: `u_before-${String(at)}`,
      email: each,
      name: 'Before',
      password_hash: '',
      created_at_ms: 0,
    }));
    await before.database.insertInto('accounts').values(rows).execute();
    expect(await tellDeciders(eu.auth, newCall)).toBe(rows.length);
    expect([await homesOf(email), await homesOf(rows.at(-1)!.email)]).toEqual([['eu', 'us'], ['eu']]);
    expect(await codeOf(signUp(us, rows.at(-1)!.email))).toBe('email_taken');
  });

  it('each demo account lives in one region, whoever decides its address', async () => {
    const { eu, us } = regions;
    for (const { auth } of [us, eu, us, eu]) await seedAccounts(auth);
    for (const { auth } of [us, eu]) await tellDeciders(auth, newCall);
    for (const [email, home, abroad] of [
      ['ada@example.com', 'eu', us],
      ['admin@example.com', 'eu', us],
      ['grace@example.com', 'us', eu],
    ] as const) {
      expect(await homesOf(email)).toEqual([home]);
      expect(await codeOf(signUp(abroad, email))).toBe('email_taken');
    }
  });
});

describe('cut', { timeout: openMs }, () => {
  it('a sign-up works where home and decider are on this side, and is refused in words elsewhere', async () => {
    regions.ocean.isCut = true;
    const [here, there] = [decidedBy('eu'), decidedBy('us')];
    expect(await codeOf(signUp(regions.eu, here))).toBe('signed up');
    const refused = await signUp(regions.eu, there);
    expect(refused).toMatchObject({ problem: 'home_region_unreachable', detail: expect.stringContaining('"us"') as string });
    expect(await homesOf(there)).toEqual([]);
    expect(await codeOf(signUp(regions.us, there))).toBe('signed up');
    expect(await codeOf(signUp(regions.us, here)), 'of both sides one').toBe('home_region_unreachable');
    regions.ocean.isCut = false;
    expect([await codeOf(signUp(regions.eu, there)), await codeOf(signUp(regions.us, here))]).toEqual(['email_taken', 'email_taken']);
    expect([await homesOf(here), await homesOf(there)]).toEqual([['eu'], ['us']]);
  });

  it('an address that is known to be given to the other side stays there', async () => {
    const email = decidedBy('eu');
    ok(await signUp(regions.us, email));
    regions.ocean.isCut = true;
    expect(await codeOf(signUp(regions.eu, email))).toBe('home_region_unreachable');
    regions.ocean.isCut = false;
    expect(await homesOf(email)).toEqual(['us']);
  });

  it('people who ask the decider for addresses of the other side are counted, so that they cannot list its accounts', async () => {
    const email = decidedBy('eu');
    const { token } = ok(await signUp(regions.eu, decidedBy('eu')));
    ok(await signUp(regions.us, email));
    regions.ocean.isCut = true;
    const told = [];
    for (let i = 0; i <= throttleLimits.accountFailures; i++) told.push(await codeOf(signUp(regions.eu, email)));
    expect(told).toEqual([...Array(throttleLimits.accountFailures).fill('home_region_unreachable'), 'too_many_attempts']);
    told.length = 0;
    for (let i = 0; i <= throttleLimits.accountFailures; i++) told.push(await codeOf(renamed(regions.eu, token!, email)));
    expect(told).toEqual([...Array(throttleLimits.accountFailures).fill('home_region_unreachable'), 'too_many_attempts']);
    // Where the other side decides, a silence tells nothing and costs nothing.
    const there = decidedBy('us');
    for (let i = 0; i <= throttleLimits.accountFailures; i++)
      expect(await codeOf(signUp(regions.eu, there))).toBe('home_region_unreachable');
  });
});

describe('both at once', { timeout: openMs }, () => {
  /** A small generator, so that a failure can be repeated by its seed (mulberry32). */
  function randomOf(seed: number): () => number {
    let state = seed;
    return () => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
    };
  }

  it('one account comes of it, with delays, lost answers and cuts, and after the heal one more sign-up suffices', async () => {
    const { ocean } = regions;
    for (let seed = 1; seed <= 12; seed++) {
      const random = randomOf(seed);
      const email = decidedBy(names[seed % 2]!);
      ocean.delay = async () => {
        for (let turns = Math.floor(random() * 4); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
        ocean.isCut = random() < 0.2;
        ocean.losesAnswers = random() < 0.3;
      };
      const told = await Promise.all([regions.eu, regions.us, regions.eu, regions.us].map((region) => codeOf(signUp(region, email))));
      const homes = await homesOf(email);
      expect(homes.length, `seed ${seed}: ${told.join(', ')}`).toBe(told.filter((code) => code === 'signed up').length);
      expect(homes.length, `seed ${seed}`).toBeLessThanOrEqual(1);
      Object.assign(ocean, { delay: undefined, isCut: false, losesAnswers: false });
      const last = await codeOf(signUp(regions[names[seed % 3 === 0 ? 1 : 0]], email));
      expect(last, `seed ${seed}`).toBe(homes.length === 1 ? 'email_taken' : 'signed up');
      expect(await homesOf(email), `seed ${seed}`).toHaveLength(1);
      // Counts of failures belong to no one address here.
      for (const { clock } of [regions.eu, regions.us]) clock.advance(3_600_000);
    }
  });
});
