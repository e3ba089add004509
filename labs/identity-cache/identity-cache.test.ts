import { describe, expect, it } from 'vitest';
import { expectedOf, sharesOf } from './formula.ts';
import { lab } from './lab.ts';

describe('the formula of a memory of identity', () => {
  it('gives the shares of Zipf, which add up to all', () => {
    const shares = sharesOf(3);
    expect(shares[0]! / shares[2]!).toBeCloseTo(3);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1);
  });

  it('asks for each request where nothing is remembered, and once a life where one person makes all', () => {
    expect(expectedOf({ people: 9, ratePerS: 50, gateways: 1 }, 0)).toMatchObject({ hitRatio: 0, questionsPerS: 50, meanStaleS: 0 });
    // Lives are cut by up to a fifth: 9 s of 10 on average, and half of that is left at a random moment.
    const one = expectedOf({ people: 1, ratePerS: 100, gateways: 1 }, 10);
    expect(one.questionsPerS).toBeCloseTo(1 / 9, 2);
    expect(one.meanStaleS).toBeCloseTo(4.5, 1);
  });
});

it(
  'the lab measures what its formula says of real memories before the real auth, and the feed takes an answer back',
  { timeout: 120_000 },
  async () => {
    const stage = await lab.open({ quick: true, dials: { people: 200, gateways: 2 }, base: 0, say: () => undefined });
    try {
      for (const arm of ['few, 0 s', 'few, 2 s', 'many, 10 s']) {
        const seen = await stage.measure(arm, 0);
        expect(Math.abs(seen['answered from memory']! - seen['by the formula']!), `the hit ratio of ${arm}`).toBeLessThan(6);
      }
      const fed = await stage.measure('few, feed', 0);
      expect(fed['answered from memory']).toBeGreaterThan(90);
      // The lease is 2 s. It ends what was remembered where the feed is cut, and then auth is asked.
      expect(fed['at worst']).toBeGreaterThan(fed['accepted after its end']!);
    } finally {
      await stage.close();
    }
  },
);
