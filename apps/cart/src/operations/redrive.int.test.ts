/**
 * Runs the operator's command as a process, on a real Kafka and a real Redis. The command knows the topics by their real names, so this
 * test uses them as no other test of cart does. Other runs may have left records there, so it looks only at lines about its own carts.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { recordHeaders } from '@cloakroom/contracts';
import { openEventLog } from '@cloakroom/event-log';
import { systemClock } from '@cloakroom/platform';
import type { Redis } from 'ioredis';
import { accepted, newUser, openHarness, quantitiesOf, quiet, type Harness } from '../cart.harness.ts';
import { openRedisCartView } from '../projection/cart.view.redis.ts';
import { readAsOlderBuild } from './older-build.harness.ts';
import { cartTopics } from '../cart.dependencies.ts';
import { partitionOfCart } from '../reads/consistency.ts';
import { openTestRedis } from '../redis.harness.ts';

const brokers = process.env['TEST_KAFKA_BROKERS'] ?? '';
const patience = { timeout: 30_000, interval: 100 };

let redis: Redis;
let redisUrl: string;
let cart: Harness;
let newer: Set<string>;
let stop: () => Promise<void>;

beforeAll(async () => {
  ({ redis, url: redisUrl } = await openTestRedis(process.env['TEST_CART_REDIS_URL'], 10));
  await redis.flushdb();
  const clientId = `redrive-test-${randomUUID()}`;
  const eventLog = await openEventLog({ kind: 'kafka', brokers: brokers.split(','), clientId, log: quiet, clock: systemClock });
  newer = readAsOlderBuild(eventLog, cartTopics.events);
  const view = openRedisCartView({ url: redisUrl, log: quiet });
  cart = await openHarness({ eventLog, view, group: `cart-projector-${randomUUID()}` });
  stop = async () => {
    await cart.stop();
    await eventLog.close();
    await view.close();
  };
});
afterAll(async () => {
  await stop();
  await redis.flushdb();
  redis.disconnect();
});

const environment = () => ({ KAFKA_BROKERS: brokers, CART_REDIS_URL: redisUrl });
function run(
  args: readonly string[],
  env: Record<string, string>,
  main = 'redrive.main.ts',
): Promise<{ code: number; out: string; err: string }> {
  const flags = ['--conditions=source', '--experimental-transform-types', '--no-warnings'];
  return new Promise((resolve) => {
    execFile(process.execPath, [...flags, join(import.meta.dirname, '..', main), ...args], { env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}
const is = (subject: string, expected: { readonly incomplete: boolean; readonly lines: Record<string, number> }) =>
  vi.waitFor(async () => {
    const read = await cart.get(subject);
    expect({ incomplete: read.incomplete, lines: quantitiesOf(read), stale: read.stale }).toEqual({ ...expected, stale: false });
  }, patience);

it('redrive puts back and names the records that an older build buried, and names those that it leaves', async () => {
  const [ada, eve] = [newUser(), newUser()];
  await is(ada, { incomplete: false, lines: {} });
  newer.add(ada);
  accepted(await cart.add(ada, 'mug', 2));
  const value = Buffer.from('not a cart event');
  await cart.eventLog.publish(cartTopics.events, [{ key: eve, value, headers: { [recordHeaders.eventVersion]: Buffer.from('1') } }]);
  await is(ada, { incomplete: true, lines: {} });
  await is(eve, { incomplete: true, lines: {} });
  newer.clear();

  const dry = await run(['--dry-run'], environment());
  expect(dry).toMatchObject({ code: 3, out: expect.stringContaining(`would put back  ${ada}`) });
  await is(ada, { incomplete: true, lines: {} });

  const first = await run([], environment());
  expect(first).toMatchObject({ code: 3, err: '' });
  expect(first.out).toMatch(new RegExp(`^put back  ${ada}  partition ${partitionOfCart(cart.parts, ada)}, offset \\d+$`, 'm'));
  expect(first.out).toMatch(new RegExp(`^left  ${eve}  partition \\d+, offset \\d+: not a cart event$`, 'm'));
  await is(ada, { incomplete: false, lines: { mug: 2 } });
  await is(eve, { incomplete: true, lines: {} });

  const second = await run([], environment());
  expect(second.out).not.toContain(ada);
  expect(second.out).toMatch(new RegExp(`^left  ${eve}`, 'm'));
  await is(ada, { incomplete: false, lines: { mug: 2 } });
});

it('redrive explains its use, and names what its environment lacks', async () => {
  expect(await run(['--help'], {})).toMatchObject({ code: 0, out: expect.stringContaining('--dry-run') });
  expect(await run([], { CART_REDIS_URL: redisUrl })).toMatchObject({ code: 78, err: expect.stringContaining('KAFKA_BROKERS') });
  expect(await run([], { ...environment(), EVENT_LOG: 'embedded' })).toMatchObject({ code: 78, err: expect.stringContaining('EVENT_LOG') });
});

it('replay fills a new view and drops the old one', async () => {
  const ada = newUser();
  accepted(await cart.add(ada, 'mug', 2));
  await is(ada, { incomplete: false, lines: { mug: 2 } });
  const replayed = await run([], environment(), 'replay.main.ts');
  expect(replayed).toMatchObject({
    code: 0,
    err: '',
    out: expect.stringMatching(/^\d+ records replayed into v2 in [\d.]+ s\. The old view is dropped\.$/m),
  });
  await is(ada, { incomplete: false, lines: { mug: 2 } });
  expect(await redis.keys('*:v1:cart:*')).toEqual([]);
  accepted(await cart.add(ada, 'mug', 1));
  await is(ada, { incomplete: false, lines: { mug: 3 } });
  expect(await run([], { CART_REDIS_URL: redisUrl }, 'replay.main.ts')).toMatchObject({
    code: 78,
    err: expect.stringContaining('KAFKA_BROKERS'),
  });
}, 240_000);
