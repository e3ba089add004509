/**
 * The throttle on a real Redis. Replicas share the counts, every key has an end, a dump shows nothing to read, and guesses fail while Redis is away.
 */
import { randomUUID } from 'node:crypto';
import { isProblem } from '@cloakroom/contracts';
import { createLogger } from '@cloakroom/platform';
import { openRedis, redisReady } from '@cloakroom/platform/redis';
import { StoreUnavailable } from '@cloakroom/session';
import { openTcpProxy } from '@cloakroom/testing';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { redisAttempts } from './attempts.ts';
import { type Guess, openThrottle } from './throttle.ts';

const url = new URL(process.env['TEST_SESSION_REDIS_URL'] ?? 'redis://127.0.0.1:6379');
const log = createLogger('throttle-test', 'silent');
const prefix = `throttle-${randomUUID()}`;
let redis: Redis;
beforeAll(async () => {
  redis = openRedis({ url: url.href, name: 'throttle-test', log });
  await redisReady(redis);
});
afterAll(() => redis.disconnect());
const stranger = (of: string, address: string): Guess => ({ at: 'password', of, address, known: 'stranger' });
const keys = () => redis.keys(`${prefix}:*`);

it('counts once for all replicas, leaves every key an end and nobody’s name', async () => {
  const replicas = [openThrottle(redis, prefix), openThrottle(redis, prefix)];
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, i) => replicas[i % 2]!.begin(stranger('ada@example.com', '192.0.2.1')).then(isProblem)),
  );
  expect(answers.filter((no) => !no)).toHaveLength(10);
  await replicas[0]!.begin({ ...stranger('ada@example.com', '192.0.2.1'), known: { by: 'device', name: 'device' } });
  await replicas[0]!.guest('192.0.2.1');
  await replicas[0]!.registration('192.0.2.1');
  const left = await keys();
  expect(left).toHaveLength(6);
  for (const key of left) expect(await redis.pttl(key)).toBeGreaterThan(0);
  expect(left.join(' ')).not.toMatch(/ada|192\.0\.2/);
});

it('leaves nothing behind of what succeeded', async () => {
  const before = await keys();
  const attempt = await openThrottle(redis, prefix).begin(stranger('grace@example.com', '192.0.2.9'));
  if (isProblem(attempt)) throw new Error('refused');
  await attempt.succeeded();
  expect(await keys()).toEqual(expect.arrayContaining(before));
  expect(await keys()).toHaveLength(before.length);
});

it('does not start below zero by what is given back after the window', async () => {
  const attempts = redisAttempts(redis, prefix);
  await attempts.take('account:late', 1, 20);
  // Waits until the window has ended. Then one attempt can be taken again, and it is given back with the others.
  await vi.waitFor(async () => expect((await attempts.take('account:late', 1, 20)).count).toBe(1), { interval: 5 });
  for (let i = 0; i < 50; i += 1) await attempts.giveBack('account:late');
  const counts = [];
  for (let i = 0; i < 3; i += 1) counts.push((await attempts.take('account:late', 2, 60_000)).count);
  expect(counts).toEqual([1, 2, undefined]);
});

it('lets nobody guess while Redis is silent, and says so in time', async () => {
  const proxy = await openTcpProxy({ port: Number(url.port), protocol: 'any' });
  const through = openRedis({ url: `redis://${proxy.address}`, name: 'throttle-silent', log });
  await redisReady(through);
  const throttle = openThrottle(through, prefix);
  proxy.mute();
  await expect(throttle.begin(stranger('ada@example.com', ''))).rejects.toThrow(StoreUnavailable);
  await expect(throttle.guest('192.0.2.7')).rejects.toThrow(StoreUnavailable);
  through.disconnect();
  await proxy.close();
});
