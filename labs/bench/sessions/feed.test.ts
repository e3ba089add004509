import { expect, it } from 'vitest';
import { benchFeed } from './feed.ts';

it('a revocation has the same bytes each time, and a reader that verifies it hears it', async () => {
  const [one, other] = [await benchFeed(1, 5), await benchFeed(1, 5)];
  expect(one.recordBytes).toBe(other.recordBytes);
  expect(one.recordBytes).toBeGreaterThan(one.beatBytes);
  expect(one.hearUs).toBeGreaterThan(0);
});
