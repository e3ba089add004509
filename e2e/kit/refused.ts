/** The bound of a revocation, held on a busy machine too. */
import { expect } from '@playwright/test';

/** The promise of the feed is 2 s, and this is what a test gives it; it is 2.5 s where the feed is cut. */
const refusedWithinMs = 2_500;
/** A machine that starves may answer late. An answer that never comes fails here. */
const answeredWithinMs = 60_000;

export interface Refusal<T> {
  readonly ask: () => Promise<T>;
  readonly refused: T;
  readonly isAccepted: (seen: T) => boolean;
  readonly message: string;
}

/**
 * Asks until the answer is `refused`. No request that was sent later than the bound, counted from this call, may be accepted.
 *
 * An acceptance is dated by the time at which its request was sent: how late the answer comes depends on the machine, and what is decided does not.
 */
export async function expectRefused<T>({ ask, refused, isAccepted, message }: Refusal<T>): Promise<void> {
  const beganMs = performance.now();
  let lastAcceptedMs = 0;
  const seen = async (): Promise<T> => {
    const sentMs = performance.now() - beganMs;
    const told = await ask();
    if (isAccepted(told)) lastAcceptedMs = sentMs;
    return told;
  };
  await expect.poll(seen, { timeout: answeredWithinMs, intervals: [20], message }).toBe(refused);
  expect(lastAcceptedMs, message).toBeLessThan(refusedWithinMs);
}

/** For requests that an ended session gets 401 for. @param status sends one */
export const expectSessionEnded = (status: () => Promise<number>): Promise<void> =>
  expectRefused({ ask: status, refused: 401, isAccepted: (seen) => seen < 400, message: 'an ended session is refused' });
