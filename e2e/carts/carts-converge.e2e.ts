/**
 * Persons on several devices shop at random at every gateway. They lose answers, sign in and out, and repeat commands whose outcome they do
 * not know. The checker judges what they were told: no change is lost, comes back, or counts twice.
 */
import type { ProductPage } from '@cloakroom/contracts/http';
import { checkHistory, openRecorder, repeatsOf, report, runWorkload, untriedRepeats } from '@cloakroom/testing';
import type { RepeatKind } from '@cloakroom/testing';
import { expect, test } from '@playwright/test';
import { gateways } from '../kit/stack.ts';

/** A run is worth judging only if it has each of these. */
const wanted = ['add', 'remove', 'login', 'checkout'];
const repeated: readonly RepeatKind[] = ['lost-answer', 'other-gateway', 'sign-in', 'sign-in-taken', 'sign-out'];
const shoppingMs = 8_000;
/** No bound of the shop: the rarest repeat takes its time on a machine with other work. */
const allTriedMs = 120_000;

test('carts converge, whatever several devices do to them at once', async ({ request }) => {
  const seed = Number(process.env['CLOAKROOM_E2E_SEED'] ?? Math.floor(Math.random() * 1_000_000));
  const [recorder, closing, startedMs] = [openRecorder(), new AbortController(), performance.now()];
  const lacking = (): string[] => {
    const done = new Set(recorder.operations().flatMap(({ kind, outcome }) => (outcome === 'ok' ? [kind as string] : [])));
    const repeats = repeatsOf(recorder.history(seed, 0));
    return [...wanted.filter((kind) => !done.has(kind)), ...untriedRepeats(repeats, repeated)];
  };
  const shopped = expect
    .poll(() => (performance.now() - startedMs < shoppingMs ? ['time'] : lacking()), { timeout: allTriedMs, message: `seed ${seed}` })
    .toEqual([]);
  // Products of the first page would not do: every other test buys them, and these shoppers buy until nothing is left.
  const page = (await (await request.get(`${gateways[0]}/api/products?page=3&pageSize=20`)).json()) as ProductPage;
  const products = page.items.slice(0, 10).map(({ productId }) => productId);
  const [history] = await Promise.all([
    runWorkload({ gateways, seed, recorder, products, signal: closing.signal }),
    shopped.finally(() => closing.abort()),
  ]);
  const verdict = checkHistory(history);
  const said = report(verdict, history);
  console.log(said);
  await test.info().attach('history', { body: history.operations.map((operation) => JSON.stringify(operation)).join('\n') });
  expect(verdict.ok, said).toBe(true);
});
