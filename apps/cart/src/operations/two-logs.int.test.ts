/**
 * The operator's commands in a shop of two regions, as processes, on a real Kafka and a real Redis. The region is eu. The test writes the copy of the
 * log of us as MirrorMaker does. The topics have their real names, so a test looks only at its own carts.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { isProblem, recordHeaders, type Problem } from '@cloakroom/contracts';
import { openEventLog, type OutgoingRecord } from '@cloakroom/event-log';
import { systemClock } from '@cloakroom/platform';
import type { Redis } from 'ioredis';
import { topicsBeside, topicsToEnsure } from '../cart.dependencies.ts';
import { newCommandId, newUser, openHarness, quantitiesOf, quiet, type Harness } from '../cart.harness.ts';
import { dotOf, type CartEvent } from '../model/cart.ts';
import { encodeEvent } from '../model/codec.ts';
import { openRedisCartView } from '../projection/cart.view.redis.ts';
import { partitionOfCart } from '../reads/consistency.ts';
import { openTestRedis } from '../redis.harness.ts';
import { readHistory, type Step } from './history.ts';
import { readAsOlderBuild } from './older-build.harness.ts';

const brokers = process.env['TEST_KAFKA_BROKERS'] ?? '';
const patience = { timeout: 60_000, interval: 100 };
/** Three programs start one after the other, on a machine that runs everything else as well. */
const programsMs = 240_000;
const paceMs = 40;
const topics = topicsBeside(['us']);
const copy = topics.mirrors![0]!.events;
/** The log of us in this run. */
const usLog = randomUUID();

let redis: Redis;
let redisUrl: string;
let cart: Harness;
let newer: Set<string>;
let usOffset = 0;
let stop: () => Promise<void>;

beforeAll(async () => {
  ({ redis, url: redisUrl } = await openTestRedis(process.env['TEST_CART_REDIS_URL'], 11));
  await redis.flushdb();
  const clientId = `two-logs-test-${randomUUID()}`;
  const eventLog = await openEventLog({ kind: 'kafka', brokers: brokers.split(','), clientId, log: quiet, clock: systemClock });
  newer = readAsOlderBuild(eventLog, copy);
  const view = openRedisCartView({ url: redisUrl, log: quiet });
  // A broker that has just begun makes some 200 partitions slowly.
  await vi.waitFor(() => eventLog.ensureTopics(topicsToEnsure(topics)), { timeout: programsMs, interval: 500 });
  cart = await openHarness({ eventLog, view, topics, region: 'eu', group: `cart-projector-${randomUUID()}` });
  stop = async () => {
    await cart.stop();
    await eventLog.close();
    await view.close();
  };
}, 2 * programsMs);
afterAll(async () => {
  await stop();
  await redis.flushdb();
  redis.disconnect();
});

const added = (cartId: string, line: string, quantity: number): CartEvent => ({
  type: 'ItemAdded',
  cartId,
  atMs: Date.now(),
  dot: dotOf(cartId, newCommandId()),
  line,
  quantity,
});

const publishSurely = (record: OutgoingRecord) => vi.waitFor(() => cart.eventLog.publish(copy, [record]), patience);

/** On a busy machine an outcome may be unknown. Then this repeats the same command, as any client does. */
async function surely<T extends object>(send: (commandId: string) => Promise<T | Problem>): Promise<T> {
  const commandId = newCommandId();
  for (;;) {
    const answer = await send(commandId);
    if (!isProblem(answer)) return answer;
    if (answer.problem !== 'outcome_unknown' && answer.problem !== 'unavailable') throw new Error(answer.problem);
  }
}
const add = (subject: string, productId: string) => surely((commandId) => cart.add(subject, productId, 1, { commandId }));

/** A record of us arrives. @param how its place in the log of us, where it came before; and what it is a redrive of */
async function arrives(event: CartEvent, how: { readonly at?: number; readonly redriveOf?: number } = {}): Promise<number> {
  const { value, headers } = encodeEvent(event);
  const { at = usOffset++, redriveOf } = how;
  const more = {
    [recordHeaders.logOffset]: Buffer.from(String(at)),
    [recordHeaders.logId]: Buffer.from(usLog),
    ...(redriveOf !== undefined && { [recordHeaders.redriveOf]: Buffer.from(String(redriveOf)) }),
  };
  // A stalled broker may get it twice, as MirrorMaker may copy it twice.
  await publishSurely({ key: event.cartId, value, headers: { ...headers, ...more } });
  return at;
}

function run(main: string, args: readonly string[] = []): Promise<{ code: number; out: string; err: string }> {
  const flags = ['--conditions=source', '--experimental-transform-types', '--no-warnings'];
  const env = { KAFKA_BROKERS: brokers, CART_REDIS_URL: redisUrl, REGION: 'eu', OTHER_REGIONS: 'us=localhost:4458' };
  return new Promise((resolve) => {
    execFile(process.execPath, [...flags, join(import.meta.dirname, '..', main), ...args], { env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}

const is = (subject: string, lines: Record<string, number>, incomplete = false) =>
  vi.waitFor(async () => {
    const read = await cart.get(subject);
    expect({ incomplete: read.incomplete, lines: quantitiesOf(read), stale: read.stale }).toEqual({ incomplete, lines, stale: false });
  }, patience);

it(
  'redrive puts back a copied record that an older build buried, and its cart takes it once, whatever else arrives of it',
  async () => {
    const ada = newUser();
    await add(ada, 'cup');
    newer.add(ada);
    const mug = added(ada, 'mug', 2);
    const at = await arrives(mug);
    await is(ada, { cup: 1 }, true);
    newer.clear();

    expect(await run('redrive.main.ts', ['--dry-run'])).toMatchObject({ out: expect.stringContaining(`would put back  ${ada}`), err: '' });
    await is(ada, { cup: 1 }, true);
    const first = await run('redrive.main.ts');
    expect(first.err).toBe('');
    expect(first.out).toMatch(new RegExp(`^put back  ${ada}  partition \\d+, offset ${at} of us$`, 'm'));
    await is(ada, { cup: 1, mug: 2 });

    expect((await run('redrive.main.ts')).out).not.toContain(ada);
    // MirrorMaker repeats the block, and us redrives the record as well.
    await arrives(mug, { at });
    await arrives(mug, { redriveOf: at });
    await arrives(added(ada, 'hat', 1));
    await is(ada, { cup: 1, mug: 2, hat: 1 });
  },
  programsMs,
);

it(
  'history shows the events of both logs by their times, says whose they are, and ends at the cart of the view',
  async () => {
    const ada = newUser();
    await add(ada, 'cup');
    await is(ada, { cup: 1 });
    const mug = added(ada, 'mug', 2);
    const at = await arrives(mug);
    await is(ada, { cup: 1, mug: 2 });
    const { seen } = await cart.get(ada);
    await surely((commandId) => cart.remove(ada, 'cup', seen!, commandId));
    await is(ada, { mug: 2 });
    await arrives(mug, { at });
    await arrives(added(ada, 'hat', 1));
    await is(ada, { mug: 2, hat: 1 });

    const table = await run('history.main.ts', [ada]);
    expect(table).toMatchObject({ code: 0, err: expect.stringMatching(/^\d+ events in partition/) });
    const [head, ...rows] = table.out.trimEnd().split('\n');
    expect(head).toMatch(/^ +offset {2}region {2}at +event +cart after it$/);
    const [cup, removal] = [/^ +\d+ {2}eu .*add 1 cup as .* cup 1$/, /^ +\d+ {2}eu .*remove cup.* mug 2$/];
    const [bought, hat] = [new RegExp(`^ +${at}  us .*add 2 mug as .* cup 1, mug 2$`), /^ +\d+ {2}us .*add 1 hat as .* hat 1, mug 2$/];
    expect(rows.filter((row) => !row.includes('changes nothing'))).toEqual(
      [cup, bought, removal, hat].map((row) => expect.stringMatching(row)),
    );
    expect(rows).toContainEqual(expect.stringMatching(new RegExp(`^ +${at}  us .*add 2 mug .*changes nothing +mug 2$`)));

    const steps: Step[] = [];
    await readHistory({ eventLog: cart.eventLog, topics, clock: systemClock }, ada, (step) => steps.push(step));
    const { carts } = await cart.view.load(partitionOfCart(cart.parts, ada), [ada]);
    const { state, inRegions } = steps.at(-1)!.after;
    expect({ state, inRegions }).toEqual({ state: carts.get(ada)!.state, inRegions: carts.get(ada)!.inRegions });
    const last = (await run('history.main.ts', [ada, '--json'])).out.trimEnd().split('\n').at(-1)!;
    expect(JSON.parse(last)).toMatchObject({ region: 'us', event: { type: 'ItemAdded' }, after: { lines: [{}, {}] } });
  },
  programsMs,
);

it(
  'replay fills a new view from both logs while both regions go on, and drops the old one',
  async () => {
    const [ada, eve] = [newUser(), newUser()];
    await add(ada, 'cup');
    const mug = added(ada, 'mug', 2);
    const at = await arrives(mug);
    await publishSurely({ key: eve, value: Buffer.from('x') });
    await is(ada, { cup: 1, mug: 2 });
    await is(eve, {}, true);
    // A wrong cart in the old view.
    await redis.del(`{cart:${partitionOfCart(cart.parts, ada)}}:v1:cart:${ada}`);
    expect(quantitiesOf(await cart.get(ada))).toEqual({});

    let going = true;
    let hats = 0;
    // A cart has 500 units at most.
    const shopping = (async () => {
      for (; going && hats < 400; hats += 2) {
        await arrives(added(ada, 'hat', 1));
        await add(eve, 'hat');
        await add(ada, 'hat');
        await delay(paceMs); // not a wait: the pace of somebody who shops fast
      }
    })();
    const replayed = await run('replay.main.ts').finally(() => (going = false));
    await shopping;
    const switched = /^\d+ records replayed into v2 in [\d.]+ s\. The old view is dropped\.$/m;
    expect(replayed).toMatchObject({ code: 0, err: '', out: expect.stringMatching(switched) });
    await is(ada, { cup: 1, mug: 2, hat: hats });
    await is(eve, { hat: hats / 2 }, true);
    expect(await redis.keys('*:v1:cart:*')).toEqual([]);
    await arrives(mug, { at });
    await arrives(added(ada, 'cup', 1));
    await is(ada, { cup: 2, mug: 2, hat: hats });
  },
  programsMs,
);
