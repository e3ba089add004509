/**
 * The control before a part is taken away. While all is well the shop must answer, several times in a row, in a quarter of the time that a
 * question to auth may take (apps/gateway/src/identity/resolve-at-auth.ts).
 *
 * A machine too crowded for that breaks the budget whatever part is gone. The breakers open, and the test proves nothing about the part. So
 * the test waits for a calm moment. Where none comes it fails here and says why.
 */
import { expect } from '@playwright/test';

const calmMs = 200;
const calmCount = 5;
const calmTimeoutMs = 120_000;

/** @param ask a question that each gateway hands on to auth */
export async function untilCalm(ask: (gateway: string) => Promise<unknown>, gateways: readonly string[]): Promise<void> {
  for (const gateway of gateways) {
    const slowestMs = async (): Promise<number> => {
      const took: number[] = [];
      for (let n = 0; n < calmCount; n++) {
        const startedMs = performance.now();
        await ask(gateway);
        took.push(performance.now() - startedMs);
      }
      return Math.max(...took);
    };
    const message = `the machine has time for the shop: ${gateway} answers in ${calmMs} ms while all is well`;
    await expect.poll(slowestMs, { timeout: calmTimeoutMs, intervals: [500], message }).toBeLessThan(calmMs);
  }
}
