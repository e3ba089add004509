import { expect, it } from 'vitest';
import type { FailureColumn } from '@cloakroom/contracts';
import { isPredicted, triedBy } from './probes.ts';
import type { Part } from './shops.ts';

const predictedPercent = (gone: readonly Part[], ...columns: readonly FailureColumn[]): number => {
  const tried = triedBy(columns);
  return Math.round((100 * tried.filter(([operation, column]) => isPredicted(gone, operation, column)).length) / tried.length);
};

it('the failure matrix predicts what this page says of each Redis, and of both in one', () => {
  const everybody = ['known', 'jwt', 'none'] as const;
  expect(predictedPercent([], ...everybody)).toBe(0);
  expect(predictedPercent(['redis-carts'], ...everybody)).toBe(18);
  expect(predictedPercent(['redis-sessions'], ...everybody)).toBe(48);
  expect(predictedPercent(['redis-sessions', 'redis-carts'], ...everybody)).toBe(55);
});

it('where a gateway must ask each time, all but browsing needs the sessions’ Redis', () => {
  expect(predictedPercent(['redis-sessions'], 'none')).toBe(92);
  expect(isPredicted(['redis-sessions'], 'public', 'none')).toBe(false);
});
