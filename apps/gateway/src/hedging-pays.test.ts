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
  const { plain, hedged } = await compare(30, () => undefined);
  await annotate(figures({ plain, hedged }));
  expect(plain.p99).toBeGreaterThanOrEqual(hiccupMs);
  expect(hedged.p99).toBeLessThan(plain.p99);
  expect(hedged.extra).toBeLessThan(0.15);
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
