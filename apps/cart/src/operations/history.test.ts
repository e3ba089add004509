import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { EmbeddedEventLog } from '@cloakroom/event-log';
import { systemClock } from '@cloakroom/platform';
import { accepted, newCommandId, newGuest, newUser, openHarness, quantitiesOf, quiet, type Harness } from '../cart.harness.ts';
import { history } from './history.command.ts';
import { jsonRow, tableRow } from './history.print.ts';
import { readHistory, type Step } from './history.ts';
import { partitionOfCart } from '../reads/consistency.ts';
import { decodeSeen } from '../model/seen.ts';

let folder: string;
let file: string;
let eventLog: EmbeddedEventLog;
let cart: Harness;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cart-history-test-'));
  file = join(folder, 'events.log');
  eventLog = new EmbeddedEventLog({ log: quiet, clock: systemClock, file });
  cart = await openHarness({ eventLog });
});
afterEach(async () => {
  await cart.stop();
  await eventLog.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A guest adds and signs in. The person sets, removes and orders. One of their records is unreadable. */
async function aLife(): Promise<{ guest: string; ada: string }> {
  const [guest, ada] = [newGuest(), newUser()];
  accepted(await cart.add(guest, 'mug', 2));
  const commandId = newCommandId();
  for (let n = 0; n < 2; n++) accepted(await cart.add(ada, 'cup', 1, { commandId }));
  await cart.claim(guest, ada);
  const joined = await vi.waitFor(async () => {
    const read = await cart.get(ada);
    expect(quantitiesOf(read)).toEqual({ mug: 2, cup: 1 });
    return read;
  });
  const set = accepted(await cart.set(ada, 'mug', 5, joined.seen!));
  accepted(await cart.applyCoupon(ada, 'WINTER5'));
  await cart.eventLog.publish(cart.topics.events, [{ key: ada, value: Buffer.from('x'), headers: {} }]);
  await cart.confirm(ada, decodeSeen(set.seen!) as string[]);
  await vi.waitFor(async () => expect(await cart.get(ada)).toMatchObject({ lines: [], coupons: [{ code: 'WINTER5' }], incomplete: true }));
  return { guest, ada };
}

async function historyOf(cartId: string): Promise<Step[]> {
  const steps: Step[] = [];
  await readHistory({ eventLog, topics: cart.topics, clock: systemClock }, cartId, (step) => steps.push(step));
  return steps;
}

it('history shows every event of a cart in order and what it changed, and ends at the cart of the view', async () => {
  const { guest, ada } = await aLife();
  const steps = await historyOf(ada);
  expect(steps.map(({ event, changed }) => `${event?.type ?? 'unreadable'} ${changed}`)).toEqual([
    'ItemAdded true',
    'ItemAdded false',
    'GuestJoined true',
    'QuantitySet true',
    'CouponApplied true',
    'unreadable false',
    'OrderPlaced true',
  ]);
  const { carts } = await cart.view.load(partitionOfCart(cart.parts, ada), [ada]);
  expect(steps.at(-1)!.after.state).toEqual(carts.get(ada)!.state);
  expect(steps.at(-1)!.after.missing).toEqual(carts.get(ada)!.missing);
  expect((await historyOf(guest)).map(({ event }) => event?.type)).toEqual(['ItemAdded', 'GuestCartClaimed']);
  expect(await historyOf(newUser())).toEqual([]);
});

it('history is a readable table, and complete as JSON', async () => {
  const { ada } = await aLife();
  const steps = await historyOf(ada);
  const rows = steps.map((step) => tableRow(step));
  expect(rows[0]).toMatch(/^ +\d+ {2}\d{4}-\d\d-\d\dT[\d:.]+Z {2}add 1 cup as \.\.[0-9a-f]{8} +cup 1$/);
  expect(rows[1]).toMatch(/changes nothing +cup 1$/);
  expect(rows[2]).toMatch(/join of g_\.\.[0-9a-f]{8} at \d+: 1 live, 0 dead +cup 1, mug 2$/);
  expect(rows[3]).toMatch(/set mug to 5 as \.\.[0-9a-f]{8}, saw g\.\.[0-9a-f]{8} +cup 1, mug 5$/);
  expect(rows[5]).toMatch(/cannot be read: unknown event version +cup 1, mug 5, WINTER5 \| INCOMPLETE, waits for \d+$/);
  expect(rows[6]).toMatch(/order [0-9a-f]{8} takes .* +WINTER5 \| INCOMPLETE/);
  const last = JSON.parse(jsonRow(steps.at(-1)!)) as { offset: string; after: Record<string, unknown> };
  expect(last).toMatchObject({ offset: expect.stringMatching(/^\d+$/), after: { lines: [], coupons: [{ code: 'WINTER5' }] } });
  expect(Object.keys(last.after['dead'] as object).length).toBeGreaterThanOrEqual(3);
});

it('history reads a copy of the log of an embedded shop while the shop runs', async () => {
  const { ada } = await aLife();
  const json = await run([ada, '--json', '--log-file', file]);
  expect(json).toMatchObject({ code: 0, err: expect.stringContaining('7 events in partition') });
  expect(json.out.trim().split('\n')).toHaveLength(7);
  const table = await run([ada, '--log-file', file]);
  expect(table.out).toMatch(/^ +offset {2}at +event +cart after it$/m);
  expect(await run([newUser(), '--log-file', file])).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^there is no cart u_.* in this log/),
  });
  // The shop still works: history has changed nothing.
  accepted(await cart.add(ada, 'hat', 1));
});

it('history explains its use, and names a missing argument', async () => {
  expect(await run(['--help'])).toMatchObject({ code: 0, out: expect.stringContaining('--log-file') });
  expect(await run(['nobody'])).toMatchObject({ code: 78 });
  expect(await run([newUser()])).toMatchObject({ code: 78, err: expect.stringContaining('KAFKA_BROKERS') });
  expect(await run([newUser(), '--log-file', join(folder, 'none')])).toMatchObject({
    code: 1,
    err: expect.stringContaining('no such file'),
  });
});

async function run(args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const said: { out: string[]; err: string[] } = { out: [], err: [] };
  const code = await history(args, { out: (line) => said.out.push(line), err: (line) => said.err.push(line) }, {});
  return { code, out: said.out.join('\n'), err: said.err.join('\n') };
}
