import { expect, it } from 'vitest';
import { sampleInTurn, timingDifference } from './timing-difference.ts';

/** The same noise in each run: about 30, sometimes much more. */
function noise(seed: number, count: number, of: (n: number) => number): number[] {
  let state = seed;
  const random = (): number => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
  return Array.from({ length: count }, () => of(30 + 6 * (random() + random() + random()) + (random() < 0.1 ? 100 * random() : 0)));
}

it('two sets of the same kind show no difference, however noisy they are', () => {
  for (let seed = 1; seed <= 500; seed++) {
    expect(
      timingDifference(
        noise(seed, 40, (n) => n),
        noise(seed + 1_000, 40, (n) => n),
      ).tells,
    ).toBe(false);
  }
});

it.each([
  ['an answer without the work', (n: number) => n / 50],
  ['half the work', (n: number) => n / 2],
  ['a quarter more', (n: number) => n * 1.25],
])('sees %s in forty samples, in every run', (_what, changed) => {
  for (let seed = 1; seed <= 100; seed++) {
    expect(
      timingDifference(
        noise(seed, 40, (n) => n),
        noise(seed + 1_000, 40, changed),
      ).tells,
    ).toBe(true);
  }
});

it('a significant difference that is too small to be used is not reported', () => {
  const { p, tells } = timingDifference(
    noise(1, 4_000, (n) => n),
    noise(2, 4_000, (n) => n * 1.03),
  );
  expect([p < 1e-4, tells]).toEqual([true, false]);
});

it('samples are taken in turn, the same number of each', async () => {
  const order: number[] = [];
  const took = (which: number) => () => Promise.resolve(order.push(which));
  const samples = await sampleInTurn([took(0), took(1)], { rounds: 5, warmUpRounds: 1 });
  expect(samples.map((each) => each.length)).toEqual([5, 5]);
  for (let at = 0; at < order.length; at += 2) expect(order[at]! + order[at + 1]!).toBe(1);
});
