/** Groups F and G on the real store: the data in it, and the answers of its broken connections. */
import { createLogger } from '@cloakroom/platform';
import { openRedis } from '@cloakroom/platform/redis';
import { expect, test } from '../../e2e/kit/device.ts';
import { gateways, portBase, whilePaused } from '../../e2e/kit/stack.ts';
import { expectDead, signedIn, type SignedIn } from '../../e2e/kit/person.ts';
import { plain, posted, sessionCookieOf } from '../../e2e/kit/raw.ts';

async function withStore<T>(use: (redis: ReturnType<typeof openRedis>) => Promise<T>): Promise<T> {
  const redis = openRedis({ url: `redis://127.0.0.1:${portBase + 210}`, name: 'thief', log: createLogger('e2e', 'silent') });
  try {
    await expect.poll(() => redis.status).toBe('ready');
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}

async function keysOf(redis: ReturnType<typeof openRedis>): Promise<string[]> {
  const keys: string[] = [];
  let cursor = '0';
  do {
    const [next, some] = await redis.scan(cursor, 'COUNT', 1_000);
    keys.push(...some);
    cursor = next;
  } while (cursor !== '0');
  return keys;
}

test('F37 people who read while the store falls silent and comes back each get their own data, or nothing', async () => {
  test.setTimeout(90_000);
  const people: SignedIn[] = [];
  // Each person has a separate address: limits by address are not attacked here.
  for (let at = 0; at < 8; at++) people.push(await signedIn(`127.0.1.${at + 1}`));
  const read = async (at: number): Promise<string> => {
    const person = people[at % people.length]!;
    const path = at % 3 === 0 ? '/api/session' : '/api/profile';
    const answer = await plain(path, {
      gateway: gateways[at % 2]!,
      from: `127.0.1.${(at % people.length) + 1}`,
      headers: { cookie: sessionCookieOf(person.token) },
    });
    if (answer.status !== 200) return `${answer.status}`;
    return answer.body.includes(`"email":"${person.email}"`) ? 'own' : 'FOREIGN';
  };
  // A profile names its person once it has heard of the sign-up. Until then a missing name would look like another person's profile.
  for (let at = 0; at < people.length; at++) await expect.poll(() => read(at % 3 === 0 ? at + people.length : at)).toBe('own');
  const wave = (from: number, count: number) => Promise.all(Array.from({ length: count }, (_, at) => read(from + at)));
  const outcomes = [...(await wave(0, 160))];
  // Requests that are cancelled and time out in the middle of a connection's replies.
  outcomes.push(...(await whilePaused('redis-sessions', () => wave(160, 160))));
  for (let round = 0; round < 6; round++) outcomes.push(...(await wave(320 + round * 160, 160)));
  expect(
    outcomes.filter((outcome) => !['own', '503'].includes(outcome)),
    'nothing but one’s own, or "not now"',
  ).toEqual([]);
  expect(outcomes.filter((outcome) => outcome === 'own').length).toBeGreaterThan(160);
});

test('F40 every key of the session store expires', async () => {
  const { token } = await signedIn();
  await posted('/api/session/logout', {}, { headers: { cookie: sessionCookieOf(token) } });
  await signedIn();
  await withStore(async (redis) => {
    const keys = await keysOf(redis);
    expect(keys.length).toBeGreaterThan(3);
    for (const key of keys) expect(await redis.pttl(key), key.replace(/:[^:]*$/, '')).toBeGreaterThan(0);
  });
});

test('G48 no value in the store opens a session', async () => {
  const { token } = await signedIn();
  const secret = token.split('.')[3]!;
  await withStore(async (redis) => {
    const found = new Set<string>();
    for (const key of await keysOf(redis)) {
      found.add(key);
      key.split(':').forEach((part) => found.add(part));
      const kind = await redis.type(key);
      if (kind === 'hash') Object.entries(await redis.hgetall(key)).forEach((pair) => pair.forEach((text) => found.add(text)));
      if (kind === 'string') ((await redis.get(key)) ?? '').split('\n').forEach((text) => found.add(text));
    }
    const all = [...found];
    expect(all.length).toBeGreaterThan(5);
    expect(all.filter((text) => text.includes(secret) || text.includes(token)).length).toBe(0);
    const likely = all.filter((text) => /^[\w-]{43}$/.test(text));
    expect(likely.length, 'hashes lie there').toBeGreaterThan(0);
    const [, region, tag, , mac] = token.split('.') as [string, string, string, string, string];
    for (const hash of likely.slice(0, 40))
      for (const value of [hash, `v1.${region}.${tag}.${hash}.${mac}`]) {
        const answer = await plain('/api/session', { headers: { cookie: sessionCookieOf(value) }, from: '127.0.2.1' });
        expect(answer.body).toContain('"state":"none"');
      }
  });
});

test('H with the store silent no write is accepted without a person, and no person is silently signed out', async () => {
  test.setTimeout(60_000);
  const person = await signedIn();
  const headers = { cookie: sessionCookieOf(person.token) };
  const line = { commandId: 'not-a-uuid', productId: 'x', quantity: 1 };
  await whilePaused('redis-sessions', async () => {
    const answers = await Promise.all([
      posted('/api/cart/lines', line, { headers, gateway: gateways[1] }),
      plain('/api/session/devices', { headers, gateway: gateways[1] }),
      posted('/api/session/login', person, { headers }),
      plain('/api/session', { headers }),
    ]);
    for (const answer of answers) {
      expect([503, 504], answer.body).toContain(answer.status);
      expect(answer.headers['set-cookie'], 'no cookie is touched').toBeUndefined();
    }
  });
  await expect.poll(async () => (await plain('/api/session', { headers })).body, { timeout: 10_000 }).toContain(person.email);
});

test('H with auth silent a sign-out is not confirmed, and it can be repeated when auth is back', async () => {
  test.setTimeout(60_000);
  const person = await signedIn();
  const headers = { cookie: sessionCookieOf(person.token) };
  await whilePaused('auth', async () => {
    const answer = await posted('/api/session/logout', {}, { headers });
    expect([503, 504]).toContain(answer.status);
    expect(answer.headers['set-cookie']).toBeUndefined();
  });
  await expect.poll(async () => (await posted('/api/session/logout', {}, { headers })).status, { timeout: 10_000 }).toBe(204);
  await expectDead(person.token, 'the token');
});
