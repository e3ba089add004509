import { expect, it, vi } from 'vitest';

it('a condition that comes after more than a second is waited for, and a bound that a test names is kept', async () => {
  let there = false;
  setTimeout(() => (there = true), 1_200);
  await vi.waitFor(() => expect(there).toBe(true));
  await expect(vi.waitFor(() => expect(there).toBe(false), 50)).rejects.toThrow(/expected true to be false/);
  await expect(vi.waitUntil(() => false, { timeout: 50 })).rejects.toThrow(/Timed out/);
});
