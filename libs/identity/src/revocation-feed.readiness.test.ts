import { expect, it } from 'vitest';
import { openFeedStatus } from './revocation-feed.readiness.ts';

it('a feed without a lease is told within ten seconds, also when it never had one, and not before it can have one', () => {
  let nowMs = 1_000;
  let leaseAgeMs = Number.POSITIVE_INFINITY;
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
  const status = openFeedStatus({ leaseAgeMs: () => leaseAgeMs, leaseValid: () => leaseAgeMs < 2_000 }, clock);
  expect(status()).toMatchObject({ ok: true, leased: false });
  expect(status().degraded).toBeUndefined();
  nowMs += 8_000;
  expect(status()).toMatchObject({ ok: true, degraded: expect.stringContaining('no lease for 8 s') });
  leaseAgeMs = 300;
  expect(status()).toMatchObject({ leased: true, leaseAgeMs: 300 });
  expect(status().degraded).toBeUndefined();
  leaseAgeMs = 6_000;
  expect(status().degraded).toContain('no lease for 6 s');
});
