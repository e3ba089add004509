/** Looks at everything that the tests before it made the shop write. It is a separate project that runs last (playwright.config.ts). */
import { readdirSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { observed, observedPrefix } from '@cloakroom/contracts';
import { serviceNames } from '@cloakroom/infra';
import { expect, newPerson, test } from '../kit/device.ts';
import { type Finding, secretsIn } from './secrets.ts';
import { readSpans } from '../kit/span-sink.ts';
import { dataDir, observedSpansFile, spansFile } from '../kit/stack.ts';

const logsDir = join(dataDir, 'logs');
const logs = () => readdirSync(logsDir).map((name) => ({ name, text: readFileSync(join(logsDir, name), 'utf8') }));

test('an add, a sign-up, a refused and a good sign-in, and a sign-out have left spans', async ({ newDevice, products }) => {
  const person = newPerson();
  const device = await newDevice();
  await device.add(products[0]!);
  expect((await device.register(person)).status).toBe(201);
  expect((await device.register(person)).status).toBe(409);
  expect((await device.signIn({ ...person, password: 'not the password' })).status).toBe(401);
  expect((await device.signIn(person)).status).toBe(200);
  expect((await device.call('POST', '/api/session/logout')).status).toBe(204);
  const sought = (name: string) => readSpans(spansFile).some((span) => span.name === name);
  for (const name of ['POST /api/session/register', 'POST /api/session/login', 'POST /api/session/logout', 'publish session.revocations'])
    await expect.poll(() => sought(name), { timeout: 15_000, message: name }).toBe(true);
});

test('no log line holds a token, a passport, a password, a cookie, a key or an e-mail address', () => {
  const read = logs();
  expect(read.every(({ text }) => text.length > 0)).toBe(true);
  expect(read.flatMap(({ name, text }) => secretsIn(text, dataDir).map((found) => ({ name, ...found })))).toEqual([]);
});

test('no span that a collector gets holds a secret, the id of a person, or anything that only the Observatory is told', () => {
  const text = readFileSync(spansFile, 'utf8');
  expect(text.length).toBeGreaterThan(0);
  expect(secretsIn(text, dataDir)).toEqual([]);
  // The form of subjects and cart ids (contracts: ids).
  expect(text.match(/\b[gu]_[0-9a-f]{8}-[0-9a-f]{4}/g) ?? []).toEqual([]);
  expect(text).not.toContain(observedPrefix);
});

test('the Observatory is told who acts, and no token, signature, passport, password, key, e-mail or network address', () => {
  const spans = readSpans(observedSpansFile);
  const text = readFileSync(observedSpansFile, 'utf8');
  for (const name of [observed.app, observed.subject, observed.session, observed.claims, observed.policy, observed.budgetLeftMs])
    expect(
      spans.some(({ attributes }) => attributes[name] !== undefined),
      name,
    ).toBe(true);
  // Each span says which app made it, though in embedded they share a process.
  const apps = new Set(spans.map(({ attributes }) => attributes[observed.app]));
  for (const app of ['gateway', ...serviceNames, 'browser']) apps.delete(app);
  expect([...apps]).toEqual([]);
  expect(secretsIn(text, dataDir)).toEqual([]);
  const values = spans.flatMap(({ attributes }) => Object.values(attributes)).filter((value) => typeof value === 'string');
  expect(values.filter((value) => isIP(value) > 0 || /\d+\.\d+\.\d+\.\d+|::1|localhost/.test(value))).toEqual([]);
  // The last part of a passport, an access token or a signed event: 64 bytes in base64url.
  expect(values.filter((value) => /[A-Za-z0-9_-]{80,}/.test(value))).toEqual([]);
  expect(values.filter((value) => value.includes(newPerson().name))).toEqual([]);
});

test('every log line about a request names its trace', () => {
  const entries = logs()
    .flatMap(({ text }) => text.split('\n'))
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  // A line about a request, HTTP or rpc, names its method.
  const ofRequests = entries.filter((entry) => 'method' in entry);
  expect(ofRequests.length).toBeGreaterThan(5);
  expect(ofRequests.filter(({ trace_id: id }) => typeof id !== 'string' || !/^[0-9a-f]{32}$/.test(id))).toEqual([]);
});

test('every planted secret is found', () => {
  const secret = 'A'.repeat(43);
  const planted: Readonly<Record<string, string>> = {
    'session token': `{"msg":"resolved v1.local.tag.${secret}.${secret}"}`,
    'refresh token': `{"msg":"refused r1.local.0abc.0f8fad5b-d9cb-469f-a165-70867728950e.7.${secret}"}`,
    'session cookie': `{"headers":{"cookie":"__Host-session=abc"}}`,
    'passport or other JWS': `metadata x-passport eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ1In0.${secret}`,
    'private key': `{"jwk":"{\\"d\\":\\"${secret}\\"}"}`,
    'password hash': 'verify $argon2id$v=19$m=19456',
    'e-mail address': `{"detail":"Key (email)=(ada@example.com) already exists."}`,
    password: `{"body":"${newPerson().password}"}`,
    'refresh-token.key': readFileSync(join(dataDir, 'refresh-token.key'), 'utf8').trim(),
    'key-encryption.key': readFileSync(join(dataDir, 'key-encryption.key'), 'utf8').trim(),
    'session-mac.key': `SESSION_MAC_KEY=${readFileSync(join(dataDir, 'session-mac.key'), 'utf8').trim()}`,
  };
  for (const [kind, line] of Object.entries(planted)) {
    const found: Finding[] = secretsIn(`a line\n${line}\n`, dataDir);
    expect(found.map((one) => [one.kind, one.line])).toContainEqual([kind, 2]);
  }
});
