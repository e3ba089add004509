/** Group G: information that an answer leaks beside its content. */
import { createHmac, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '../../e2e/kit/device.ts';
import { dataDir } from '../../e2e/kit/stack.ts';
import { expectDead, signedIn } from '../../e2e/kit/person.ts';
import { plain, posted, sessionCookieOf, type PlainAnswer } from '../../e2e/kit/raw.ts';

/** The answer without the parts that always differ: the trace and the time. */
const shape = ({ status, body, headers }: PlainAnswer): string => {
  const { traceId: _trace, trace_id: _id, instance: _instance, ...told } = JSON.parse(body) as Record<string, unknown>;
  return JSON.stringify([status, told, Object.keys(headers).toSorted()]);
};

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

test('G46 an unknown account is refused like a wrong password: with the same words, and not sooner', async () => {
  test.setTimeout(60_000);
  const from = '127.0.3.1';
  const people = await Promise.all([0, 1, 2, 3, 4].map(() => signedIn(from)));
  const nobody = people.map(() => `nobody-${randomBytes(8).toString('hex')}@example.com`);
  const unknown: PlainAnswer[] = [];
  const wrong: PlainAnswer[] = [];
  // In turn, so that other load on the machine affects both. Each name is used equally often, because a
  // name that failed before is answered later.
  for (let at = 0; at < 15; at++) {
    const password = `wrong ${randomBytes(8).toString('hex')}`;
    wrong.push(await posted('/api/session/login', { email: people[at % 5]!.email, password }, { from: `127.0.3.${at + 2}` }));
    unknown.push(await posted('/api/session/login', { email: nobody[at % 5]!, password }, { from: `127.0.3.${at + 2}` }));
  }
  expect(new Set([...wrong, ...unknown].map(shape)).size, 'one answer for both').toBe(1);
  const ratio = median(unknown.map(({ seconds }) => seconds)) / median(wrong.map(({ seconds }) => seconds));
  // A look-up without the hash takes a twentieth of the time.
  expect(ratio).toBeGreaterThan(0.5);
  expect(ratio).toBeLessThan(2);
});

test('G46 a revoked token and one that was never issued get the same answer', async () => {
  const { token } = await signedIn();
  await posted('/api/session/logout', {}, { headers: { cookie: sessionCookieOf(token) } });
  await expectDead(token, 'the token');
  // Sealed with the shop's own key, which no attacker has, but never issued.
  const file = join(dataDir, 'session-mac.key');
  expect(existsSync(file)).toBe(true);
  const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64url');
  const text = `v1.local.0000.${randomBytes(32).toString('base64url')}`;
  const never = `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
  const show = (value: string) => plain('/api/cart', { headers: { cookie: sessionCookieOf(value) } });
  expect(shape(await show(never))).toBe(shape(await show(token)));
});

test('G50 the list of devices names sessions by handles that cannot be sent as tokens', async () => {
  const { token } = await signedIn();
  const answer = await plain('/api/session/devices', { headers: { cookie: sessionCookieOf(token) } });
  expect(answer.body).not.toContain(token.split('.')[3]!);
  for (const { handle } of JSON.parse(answer.body) as { handle: string }[]) {
    expect((await plain('/api/session', { headers: { cookie: sessionCookieOf(handle) } })).body).toContain('"state":"none"');
  }
});
