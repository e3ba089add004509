/** One address, one account, in two regions: connected, cut, with lost answers, and with both sides at once. */
import { SessionState } from '@cloakroom/contracts';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ok, signIn, signUp } from '../auth.harness.ts';
import { addressHash } from '../database/migrations.homes.ts';
import { throttleLimits } from '../throttle/throttle.ts';
import { codeOf, decidedBy, homesOf, names, renamed, type TwoRegions, twoRegions } from '../sign-in/two-regions.harness.ts';

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

describe('connected', { timeout: openMs }, () => {
  it('whoever decides an address, its account lives where it was made, and the other side cannot take it', async () => {
    for (const decider of names)
      for (const [home, other] of [names, names.toReversed()] as const) {
        const email = decidedBy(decider);
        expect(ok(await signUp(regions[home!], email)).session).toMatchObject({ region: home, state: SessionState.USER });
        expect(await codeOf(signUp(regions[other!], email))).toBe('email_taken');
        expect(await homesOf(regions, email)).toEqual([home]);
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
        expect(await homesOf(regions, first)).toEqual([other]);
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
      expect(await homesOf(regions, email)).toEqual([retry]);
    }
  });

  it('an address that was asked back in vain can still be had where it was given', async () => {
    const email = decidedBy('eu');
    regions.ocean.losesAnswers = true;
    expect(await codeOf(signUp(regions.us, email))).toBe('home_region_unreachable');
    expect(await codeOf(signUp(regions.eu, email))).toBe('home_region_unreachable');
    regions.ocean.losesAnswers = false;
    expect(await codeOf(signUp(regions.us, email))).toBe('signed up');
    expect(await homesOf(regions, email)).toEqual(['us']);
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
    expect(await homesOf(regions, email)).toEqual(['eu']);
  });
});

describe('cut', { timeout: openMs }, () => {
  it('a sign-up works where home and decider are on this side, and is refused in words elsewhere', async () => {
    regions.ocean.isCut = true;
    const [here, there] = [decidedBy('eu'), decidedBy('us')];
    expect(await codeOf(signUp(regions.eu, here))).toBe('signed up');
    const refused = await signUp(regions.eu, there);
    expect(refused).toMatchObject({ problem: 'home_region_unreachable', detail: expect.stringContaining('"us"') as string });
    expect(await homesOf(regions, there)).toEqual([]);
    expect(await codeOf(signUp(regions.us, there))).toBe('signed up');
    expect(await codeOf(signUp(regions.us, here)), 'of both sides one').toBe('home_region_unreachable');
    regions.ocean.isCut = false;
    expect([await codeOf(signUp(regions.eu, there)), await codeOf(signUp(regions.us, here))]).toEqual(['email_taken', 'email_taken']);
    expect([await homesOf(regions, here), await homesOf(regions, there)]).toEqual([['eu'], ['us']]);
  });

  it('an address that is known to be given to the other side stays there', async () => {
    const email = decidedBy('eu');
    ok(await signUp(regions.us, email));
    regions.ocean.isCut = true;
    expect(await codeOf(signUp(regions.eu, email))).toBe('home_region_unreachable');
    regions.ocean.isCut = false;
    expect(await homesOf(regions, email)).toEqual(['us']);
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

  it('a silence that tells nothing takes no registration of its network, and one that tells takes one', async () => {
    const limits = { ...throttleLimits, registrationsPerHour: 2 };
    const { eu, us, ocean } = await twoRegions({ limits });
    const given = decidedBy('eu');
    ok(await signUp(us, given));
    ocean.isCut = true;
    for (let i = 0; i < 4; i++) expect(await codeOf(signUp(eu, decidedBy('us')))).toBe('home_region_unreachable');
    expect(await codeOf(signUp(eu, decidedBy('eu')))).toBe('signed up');
    expect(await codeOf(signUp(eu, given))).toBe('home_region_unreachable');
    expect(await codeOf(signUp(eu, decidedBy('eu')))).toBe('too_many_requests');
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
      const homes = await homesOf(regions, email);
      expect(homes.length, `seed ${seed}: ${told.join(', ')}`).toBe(told.filter((code) => code === 'signed up').length);
      expect(homes.length, `seed ${seed}`).toBeLessThanOrEqual(1);
      Object.assign(ocean, { delay: undefined, isCut: false, losesAnswers: false });
      const last = await codeOf(signUp(regions[names[seed % 3 === 0 ? 1 : 0]], email));
      expect(last, `seed ${seed}`).toBe(homes.length === 1 ? 'email_taken' : 'signed up');
      expect(await homesOf(regions, email), `seed ${seed}`).toHaveLength(1);
      // Counts of failures belong to no one address here.
      for (const { clock } of [regions.eu, regions.us]) clock.advance(3_600_000);
    }
  });
});
