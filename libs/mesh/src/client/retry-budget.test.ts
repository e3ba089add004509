import { expect, it } from 'vitest';
import { openRetryBudget } from './retry-budget.ts';

it('allows a tenth of the requests to be repeated, and five at the start', () => {
  const budget = openRetryBudget();
  let retries = 0;
  for (let i = 0; i < 1_000; i += 1) {
    budget.deposit();
    if (budget.withdraw()) retries += 1;
  }
  expect(retries).toBe(105);
});

it('never allows more than a tenth and what was saved, in whatever order', () => {
  // Every run of 12 steps: requests and wishes to retry.
  for (let bits = 0; bits < 2 ** 12; bits += 1) {
    const budget = openRetryBudget();
    let [requests, retries] = [0, 0];
    for (let at = 0; at < 12; at += 1) {
      if ((bits >> at) % 2 === 1) {
        requests += 1;
        budget.deposit();
      } else if (budget.withdraw()) retries += 1;
    }
    expect(retries).toBeLessThanOrEqual(5 + requests / 10);
  }
});

it('saves ten for a burst and no more, however long it was quiet', () => {
  const budget = openRetryBudget();
  for (let i = 0; i < 100_000; i += 1) budget.deposit();
  let burst = 0;
  while (budget.withdraw()) burst += 1;
  expect(burst).toBe(10);
});
