/** The promise of the revocation feed where nothing is cut: a process hears of an end within a lease (docs/sessions.md). */
import { watchCrowd } from '@cloakroom/testing';
import { expect } from '@playwright/test';

export const leaseMs = 2_000;
const noticeMs = 500;
/** Beyond the promise, an answer counts as missing on any machine. This is more than the room of the most crowded one. */
const missingMs = 15_000;

/**
 * Asks until this is the answer.
 * @param withinMs the promise. A crowded machine gets more room to notice, but no longer lease.
 */
export async function untilHeard<Answer>(ask: () => Promise<Answer>, expected: Answer, what = '', withinMs = leaseMs): Promise<void> {
  const [crowd, beganMs] = [watchCrowd(), performance.now()];
  await expect.poll(ask, { timeout: withinMs + missingMs, intervals: [20], message: what }).toEqual(expected);
  expect(performance.now() - beganMs, what).toBeLessThan(withinMs + crowd.roomMs(noticeMs));
}
