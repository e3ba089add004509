import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { EmbeddedEventLog } from '@cloakroom/event-log';
import { topicsBeside } from '../cart.dependencies.ts';
import { accepted, newUser, openHarness, quiet, type Harness } from '../cart.harness.ts';
import { ViewUnavailable } from './cart.view.ts';
import { partitionOfCart } from '../reads/consistency.ts';
import { lagOf } from './projector.lag.ts';

let cart: Harness;
let ada: string;
let partition: number;
beforeEach(async () => {
  cart = await openHarness();
  ada = newUser();
  partition = partitionOfCart(cart.parts, ada);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await cart.stop();
});

it('the lag says for each partition how many records the view lacks and how old the oldest is, and 0 once it has them', async () => {
  const { consistencyToken } = accepted(await cart.add(ada));
  await cart.get(ada, consistencyToken);
  await vi.waitFor(async () => expect(await lagOf(partition)).toEqual({ next: 1, records: 0, seconds: 0 }));
  const apply = vi.spyOn(cart.view, 'apply').mockRejectedValue(new ViewUnavailable('away'));
  const addedAtMs = Date.now();
  for (let n = 0; n < 3; n++) accepted(await cart.add(ada));
  await vi.waitFor(async () => {
    const lag = await lagOf(partition);
    // The lag is as of the last fetch. The first record is known at once, the others after the next fetch.
    expect(lag?.next).toBe(1);
    expect(lag?.records).toBeGreaterThanOrEqual(1);
    expect(lag?.seconds).toBeGreaterThan(0.1);
    expect(lag?.seconds).toBeLessThanOrEqual((Date.now() - addedAtMs) / 1000 + 0.01);
  });
  apply.mockRestore();
  await vi.waitFor(async () => expect(await lagOf(partition)).toEqual({ next: 4, records: 0, seconds: 0 }), { timeout: 8_000 });
});

it('the lag counts waiting records before the first batch is handed over, and forgets a lost partition', async () => {
  await cart.projector().stop();
  expect(await lagOf(partition)).toBeUndefined();
  for (let n = 0; n < 3; n++) accepted(await cart.add(ada));
  vi.spyOn(cart.view, 'apply').mockRejectedValue(new ViewUnavailable('away'));
  const restarted = cart.restartProjector();
  await vi.waitFor(async () => expect(await lagOf(partition)).toMatchObject({ next: 0, records: 3 }), { timeout: 8_000 });
  vi.restoreAllMocks();
  await restarted;
});

it('the projector says within ten seconds that its view stands still, and why, until it moves', async () => {
  let aheadMs = 0;
  // Time passes only as the test says: a slow machine must not look like a view that stands still.
  const stuck = await openHarness({ clock: { nowMs: () => Date.now(), monotonicMs: () => aheadMs } });
  try {
    const apply = vi.spyOn(stuck.view, 'apply').mockRejectedValue(new ViewUnavailable('the disk of the view is full'));
    accepted(await stuck.add(ada));
    await vi.waitFor(() => expect(apply).toHaveBeenCalled());
    expect(stuck.projector().stuck()).toBeUndefined();
    aheadMs += 8_000;
    // The log was heard meanwhile, so the message must name this partition.
    await vi.waitFor(() => expect(stuck.projector().stuck()).toMatch(new RegExp(`partition ${partition} stands still for 8 s: .*disk`)));
    apply.mockRestore();
    await vi.waitFor(() => expect(stuck.projector().stuck()).toBeUndefined(), { timeout: 8_000 });
  } finally {
    await stuck.stop();
  }
});

it('a partition that was torn between two members leaves nothing that stands still once it is given away', async () => {
  let aheadMs = 0;
  const clock = { nowMs: () => Date.now(), monotonicMs: () => aheadMs };
  const eventLog = new EmbeddedEventLog({ log: quiet, clock });
  const subscribe = vi.spyOn(eventLog, 'subscribe');
  const torn = await openHarness({ eventLog, topics: topicsBeside(['us']), region: 'eu', clock });
  try {
    const [{ topics, onAssigned, onRevoked }] = subscribe.mock.calls.find(([{ group }]) => group === torn.group)!;
    const control = { seek: () => undefined };
    onRevoked!(topics.map(({ name: topic }) => ({ topic, partition })));
    // The copy comes here and the log goes elsewhere. The place of both is lost, and cannot be found again in time.
    await torn.view.reset(partition);
    vi.spyOn(torn.view, 'apply').mockRejectedValue(new ViewUnavailable('away'));
    const copy = [{ topic: topics[1]!.name, partition }];
    await onAssigned!(copy, control);
    onRevoked!(copy);
    aheadMs += 8_000;
    await vi.waitFor(() => expect(torn.projector().stuck()).toBeUndefined(), { timeout: 8_000 });
  } finally {
    await torn.stop();
  }
});

it('the projector says that it cannot find its place when its start never ends', async () => {
  let aheadMs = 0;
  const clock = { nowMs: () => Date.now() + aheadMs, monotonicMs: () => performance.now() + aheadMs };
  const stuck = await openHarness({ clock });
  const places = vi.spyOn(stuck.view, 'places').mockRejectedValue(new Error('the place of a partition cannot be read'));
  const restarted = stuck.restartProjector();
  try {
    await vi.waitFor(() => expect(places).toHaveBeenCalled(), { timeout: 5_000 });
    aheadMs += 8_000;
    await vi.waitFor(() => expect(stuck.projector().stuck()).toMatch(/stands still for \d+ s: the place of a partition cannot be read/));
    places.mockRestore();
    await restarted;
    await vi.waitFor(() => expect(stuck.projector().stuck()).toBeUndefined(), { timeout: 8_000 });
  } finally {
    await stuck.stop();
  }
});
