/** Whether a hedged question pays. The figures in docs/overload.md are what this tells with `--reporter=verbose`. */
import { afterEach, expect, it, vi } from 'vitest';
import { compare, type Figures, hiccupMs, stopAll } from './hedging.harness.ts';

// Some thousand calls, and a machine that others use.
vi.setConfig({ testTimeout: 60_000 });
afterEach(stopAll);

const figures = (measured: { plain: Figures; hedged: Figures }): string => JSON.stringify(measured);

it('pays where one answer in thirty hiccups: the slowest hundredth is shorter, for less than a tenth more questions', async ({
  annotate,
}) => {
  const ratios: number[] = [];
  for (let pair = 0; pair < 3; pair++) {
    const { plain, hedged } = await compare(30, () => undefined);
    await annotate(figures({ plain, hedged }));
    expect(plain.p99).toBeGreaterThanOrEqual(hiccupMs);
    expect(hedged.extra).toBeGreaterThan(0.01);
    expect(hedged.extra).toBeLessThan(0.15);
    ratios.push(hedged.p99 / plain.p99);
  }
  // The median of the pairs: a machine that others use stands still for as long as a hiccup now and then.
  expect(ratios.sort((a, b) => a - b)[1]).toBeLessThan(1);
});

it('does no harm where one replica is slow for all: it stays within the budget', async ({ annotate }) => {
  const { plain, hedged } = await compare(Number.POSITIVE_INFINITY, ([slow]) => slow!.proxy.delay(30));
  await annotate(figures({ plain, hedged }));
  expect(hedged.failed).toBe(0);
  expect(hedged.extra).toBeLessThan(0.15);
});

it('where one replica is paused no more wait for it in vain than were on their way', async ({ annotate }) => {
  const { plain, hedged } = await compare(Number.POSITIVE_INFINITY, ([paused]) => paused!.proxy.mute());
  await annotate(figures({ plain, hedged }));
  expect(hedged.failed).toBeLessThanOrEqual(4);
});
