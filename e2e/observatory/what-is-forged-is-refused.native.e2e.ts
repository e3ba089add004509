/**
 * Each forgery is really sent to the shop that runs. The service refuses it, and its own span names the check. The file is the last of its folder by
 * name: the passport that the forger keeps since the shop's start has expired by then (stage.ts).
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkWords } from '@cloakroom/contracts';
import { expect, type Stage, test } from './stage.ts';

/** A passport lives for a minute at most, and the forger keeps one until it is over. */
const oldEnoughMs = 120_000;

interface Result {
  readonly outcome: string;
  readonly code?: string;
  readonly check?: string;
  readonly file: string;
  readonly traceId?: string;
  readonly note?: string;
}

const ask = async (stage: Stage, method: string, path: string, key = stage.key): Promise<{ status: number; body: unknown }> => {
  const answer = await fetch(`${stage.url}/api${path}`, { method, headers: { authorization: `Bearer ${key}` } });
  return { status: answer.status, body: await answer.json() };
};
const play = async (stage: Stage, name: string): Promise<Result> => (await ask(stage, 'POST', `/forgeries/${name}`)).body as Result;

const expected = [
  ['another-subject', 'invalid_passport', 'bad_signature'],
  ['another-audience', 'invalid_passport', 'bad_signature'],
  ['no-algorithm', 'invalid_passport', 'wrong_algorithm'],
  ['own-key', 'invalid_passport', 'unknown_key'],
  ['replayed', 'invalid_passport', 'wrong_audience'],
  ['no-passport', 'session_required', 'no_person'],
  ['expired', 'invalid_passport', 'expired'],
] as const;

test('each forgery of the list is refused by the running service, and the check is named', async ({ stage }) => {
  const { body } = await ask(stage, 'GET', '/forgeries');
  expect((body as { name: string }[]).map(({ name }) => name).toSorted()).toEqual(expected.map(([name]) => name).toSorted());
  for (const [name, code, check] of expected) {
    let result: Result | undefined;
    await expect
      .poll(async () => (result = await play(stage, name)).outcome, {
        timeout: oldEnoughMs,
        message: `${name}: ${result?.note ?? ''}`,
      })
      .toBe('refused');
    expect([name, result!.code, result!.check]).toEqual([name, code, `${code}: ${checkWords[check]} (${check})`]);
    expect(existsSync(join(import.meta.dirname, '../..', result!.file)), result!.file).toBe(true);
    expect((await ask(stage, 'GET', `/requests/${result!.traceId}`)).status, 'the refused call can be looked at').toBe(200);
  }
});

test('nothing but the list is played, and only for the page’s key', async ({ stage }) => {
  expect((await ask(stage, 'POST', '/forgeries/anything')).status).toBe(404);
  expect((await ask(stage, 'POST', '/forgeries/replayed', 'x'.repeat(43))).status).toBe(401);
});
