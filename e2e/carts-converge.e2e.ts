/** Persons on several devices shop at random at every gateway, and what they were told is judged: nothing lost, nothing back, nothing twice. */
import { checkHistory, report, runWorkload } from '@cloakroom/testing';
import { expect, test } from '@playwright/test';
import { gateways } from './stack.ts';

test('carts converge, whatever several devices do to them at once', async () => {
  const seed = Number(process.env['CLOAKROOM_E2E_SEED'] ?? Math.floor(Math.random() * 1_000_000));
  const history = await runWorkload({ gateways, seed, durationMs: 8_000 });
  const verdict = checkHistory(history);
  const said = report(verdict, history);
  console.log(said);
  await test.info().attach('history', { body: history.operations.map((operation) => JSON.stringify(operation)).join('\n') });
  expect(verdict.ok, said).toBe(true);
  // It was a shopping worth judging.
  for (const kind of ['add ok', 'remove ok', 'login ok', 'checkout ok']) expect(verdict.counts[kind] ?? 0, said).toBeGreaterThan(0);
});
