/**
 * The control before a part is taken away: while all is well the shop answers in a quarter of what a question to auth may take
 * (apps/gateway/src/identity/resolve-at-auth.ts), several times in a row. A machine too crowded for that breaks the budget whatever is gone, the breakers
 * open, and a test of what is gone says nothing. So it waits for a calm moment, and where none comes it fails here and says why.
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
