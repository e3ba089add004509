/**
 * Every fault of the native profile on real processes. It takes effect, and it is undone. Once it is undone, the nemesis reports that it has no
 * effect.
 */
import { randomBytes } from 'node:crypto';
import { uuidV7 } from '@cloakroom/contracts';
import { openRecorder, watchCrowd } from '@cloakroom/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { labelOf } from './fault-settings.ts';
import { faults } from './faults.ts';
import { rampage } from './nemesis.ts';
import type { FaultName, PlannedFault } from './schedule.ts';
import { openStage } from './stage.ts';
import type { Stage } from './stage.ts';

/** Apart from the ports of the chaos runs themselves. */
const base = 10_080 + 64;
const wellWithinMs = 60_000;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ profile: 'usual', base, say: () => undefined });
}, 240_000);
afterAll(() => stage.close());

const planned = (name: FaultName, target: string, dial = 0.5): PlannedFault => ({ name, target, dial, startMs: 0, forMs: 1_000 });

/** Faults that can be checked again afterwards. */
it.each([
  planned('kill', 'auth'),
  planned('kill', 'redis-sessions'),
  planned('pause', 'gateway-2'),
  planned('pause', 'kafka'),
  planned('cut', 'redis-carts'),
  planned('hold', 'kafka', 0.0001),
  planned('hold', 'kafka', 0.0005),
  planned('hold', 'redis-sessions', 0.0009),
  planned('latency', 'redis-carts', 0.9),
  planned('reset', 'redis-sessions'),
  planned('cut', 'auth'),
  planned('hold', 'cart', 0.0005),
  planned('latency', 'orders', 0.9),
  planned('reset', 'cart'),
  planned('skew', 'cart', 0.0001),
  planned('skew', 'gateway-1', 0.0009),
])('$name $target bites, and is undone', async (fault) => {
  process.stdout.write(`${labelOf(fault)} ${fault.target}\n`);
  const injection = await faults[fault.name](stage, fault);
  // A gateway connects when it has a request to send.
  const shopping = setInterval(() => void buyAnything().catch(() => ''), 200);
  try {
    expect(await injection.doubt()).toBe(undefined);
  } finally {
    clearInterval(shopping);
    await injection.heal();
  }
  expect(await injection.doubt()).not.toBe(undefined);
  await stage.untilHealthy(wellWithinMs);
});

const buyAnything = () =>
  fetch(`${stage.stack.gateways[0]}/api/cart/lines`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: stage.stack.gateways[0] },
    body: JSON.stringify({ commandId: uuidV7(Date.now(), randomBytes(10)), productId: 'heavy-t-shirt', quantity: 1 }),
  }).then((answer) => answer.text());

it('a broker without a free byte on its disk ends, and comes back once there is room', { timeout: 240_000 }, async ({ skip }) => {
  const disk = stage.disks.get('kafka');
  // Only root on Linux may mount a small disk.
  skip(disk === undefined, stage.leftOut.join(' '));
  const broker = stage.stack.process('kafka');
  const before = broker.pid()!;
  const injection = await faults['disk-full'](stage, planned('disk-full', 'kafka'));
  try {
    expect(await injection.doubt()).toBe(undefined);
    // Only a broker that writes notices a full disk.
    await expect.poll(() => buyAnything().then(() => broker.pid()), { timeout: 30_000, interval: 10 }).not.toBe(before);
  } finally {
    await injection.heal();
  }
  expect(disk!.freeBytes()).toBeGreaterThan(100_000_000);
  await stage.untilHealthy(wellWithinMs);
});

it('a nemesis that is told to stop heals at once, and a fault on what is not there is told', { timeout: 240_000 }, async () => {
  const recorder = openRecorder();
  const interrupted = new AbortController();
  const paused = { ...planned('pause', 'cart'), forMs: 50_000 };
  const late = { ...planned('kill', 'auth'), startMs: 55_000 };
  const [crowd, began] = [watchCrowd(), performance.now()];
  const hits = await rampage({
    stage,
    plan: [paused, late],
    totalMs: 120_000,
    recorder,
    signal: interrupted.signal,
    onChange: (broken) => broken.length > 0 && interrupted.abort(),
  });
  expect(performance.now() - began).toBeLessThan(crowd.roomMs(10_000));
  expect(hits.map(({ end, why }) => [end, why])).toEqual([['bit', undefined]]);
  expect(recorder.faults().map(({ name, target }) => `${name} ${target}`)).toEqual(['pause cart']);
  await stage.untilHealthy(wellWithinMs);
});
