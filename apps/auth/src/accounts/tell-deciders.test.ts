/** The decider of an address hears of accounts that took it without asking: those from before, and those of a build that asks nobody. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { contextOf, type Harness, ok, signUp } from '../auth.harness.ts';
import { codeOf, decidedBy, homesOf, renamed, type TwoRegions, twoRegions } from '../sign-in/two-regions.harness.ts';
import { newAccount } from './accounts.ts';
import { seedAccounts } from './seed-accounts.ts';
import { tellDeciders } from './tell-deciders.ts';

/** A pair for all tests, as each opens two databases. Each test takes addresses of its own. */
let regions: TwoRegions;
const openMs = 180_000;
beforeAll(async () => {
  regions = await twoRegions();
}, openMs);
beforeEach(() => {
  Object.assign(regions.ocean, { delay: undefined, isCut: false });
  // Counts of failures are over.
  for (const { clock } of [regions.eu, regions.us]) clock.advance(3_600_000);
});

/** The same region by a build that asks nobody. */
function alone(region: TwoRegions['eu']): Harness {
  const { abroad: _, ...auth } = region.auth;
  return { ...region, auth };
}
const newCall = () => ({ budgetMs: 1_000, trace: contextOf().trace });

describe('an address whose decider was not asked', { timeout: openMs }, () => {
  it('accounts from before get the home of their database, and the other side hears of their addresses', async () => {
    const email = decidedBy('us');
    const before = alone(regions.eu);
    ok(await signUp(before, email));
    expect(await homesOf(regions, email)).toEqual(['']);
    regions.ocean.isCut = true;
    expect(await tellDeciders(regions.eu.auth, newCall)).toBe(0);
    regions.ocean.isCut = false;
    expect([await tellDeciders(regions.eu.auth, newCall), await tellDeciders(regions.eu.auth, newCall)]).toEqual([1, 0]);
    expect(await homesOf(regions, email)).toEqual(['eu']);
    expect(await codeOf(signUp(regions.us, email))).toBe('email_taken');
    expect(await tellDeciders(before.auth, newCall), 'one region asks nobody').toBe(0);
  });

  it('more accounts from before than one question are all told, and one that both sides have stays on both', async () => {
    const { eu, us } = regions;
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
    await eu.auth.database.insertInto('accounts').values(rows).execute();
    expect(await tellDeciders(eu.auth, newCall)).toBe(rows.length);
    expect([await homesOf(regions, email), await homesOf(regions, rows.at(-1)!.email)]).toEqual([['eu', 'us'], ['eu']]);
    expect(await codeOf(signUp(us, rows.at(-1)!.email))).toBe('email_taken');
  });

  it('an address that both sides have from before stays with the other one when the account of its decider leaves it', async () => {
    const { eu, us } = regions;
    const email = decidedBy('us');
    const { token } = ok(await signUp(us, email));
    ok(await signUp(alone(eu), email));
    expect(await tellDeciders(eu.auth, newCall)).toBe(1);
    ok(await renamed(us, token!, decidedBy('us')));
    expect(await codeOf(signUp(us, email))).toBe('email_taken');
    expect(await homesOf(regions, email)).toEqual(['eu']);
  });

  it('an address that an account took without asking is told to its decider, also when it changes once more meanwhile', async () => {
    const { eu, us, ocean } = regions;
    const [first, second] = [decidedBy('us'), decidedBy('us')];
    let { token } = ok(await signUp(eu, decidedBy('us')));
    ({ token } = ok(await renamed(eu, token!, decidedBy('us'))));
    expect(await tellDeciders(eu.auth, newCall), 'the decider was asked').toBe(0);
    ({ token } = ok(await renamed(alone(eu), token!, first)));
    ocean.delay = async () => {
      ocean.delay = undefined;
      ok(await renamed(alone(eu), token!, second));
    };
    const told = [await tellDeciders(eu.auth, newCall), await tellDeciders(eu.auth, newCall), await tellDeciders(eu.auth, newCall)];
    expect(told).toEqual([0, 1, 0]);
    expect(await codeOf(signUp(us, second))).toBe('email_taken');
    expect([await homesOf(regions, second), await codeOf(signUp(us, first))]).toEqual([['eu'], 'signed up']);
  });

  it('an account of the decider that took an address of the other side without asking is noted in the log', async () => {
    const { eu, us, ocean } = regions;
    const email = decidedBy('eu');
    ok(await signUp(us, email));
    ok(await signUp(alone(eu), email));
    const warn = vi.spyOn(eu.auth.log, 'warn');
    ocean.isCut = true;
    expect(await tellDeciders(eu.auth, newCall)).toBe(0);
    expect(warn).not.toHaveBeenCalled();
    ocean.isCut = false;
    expect(await tellDeciders(eu.auth, newCall)).toBe(1);
    expect(warn).toHaveBeenCalledExactlyOnceWith({ account: expect.any(String) as string }, expect.stringContaining('both stay'));
    warn.mockRestore();
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
      expect(await homesOf(regions, email)).toEqual([home]);
      expect(await codeOf(signUp(abroad, email))).toBe('email_taken');
    }
  });

  it('after a backup the statement of docs/deploy.md lets the decider hear again of all that it gave away', async () => {
    const { eu, us } = regions;
    const email = decidedBy('us');
    ok(await signUp(eu, email));
    // The backup is older than the sign-up.
    await us.auth.database.deleteFrom('given_addresses').execute();
    const text = readFileSync(join(import.meta.dirname, '..', '..', '..', '..', 'docs', 'deploy.md'), 'utf8');
    await sql.raw(/`(update accounts [^`]+)`/.exec(text)![1]!).execute(eu.auth.database);
    expect(await tellDeciders(eu.auth, newCall)).toBeGreaterThan(0);
    expect(await codeOf(signUp(us, email))).toBe('email_taken');
  });
});
