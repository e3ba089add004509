import { randomUUID } from 'node:crypto';
import { fromBinary } from '@bufbuild/protobuf';
import { CartEventSchema, topics } from '@cloakroom/contracts';
import { openEventLog } from '@cloakroom/event-log';
import { createLogger, systemClock } from '@cloakroom/platform';
import { expect, newPerson, quantitiesOf, test } from '../kit/device.ts';
import { kafkaBrokers, whilePaused } from '../kit/stack.ts';

test('a login answers "pending" while the broker is paused, and then the carts merge once', async ({ newDevice, products }) => {
  test.setTimeout(120_000);
  const [first, second, third] = products as [string, string, string];
  const person = newPerson();
  const [laptop, phone] = [await newDevice(), await newDevice()];
  await phone.register(person);
  await phone.add(third, 1);
  await phone.expectCart({ [third]: 1 });
  await laptop.add(first, 1);
  await laptop.add(second, 2);
  const guestCart = (await laptop.expectCart({ [first]: 1, [second]: 2 })).cartId;

  await whilePaused('kafka', async () => {
    const login = await laptop.signIn(person);
    expect(login.status, JSON.stringify(login.body)).toBe(200);
    expect(login.body.merge).toEqual({ state: 'pending', from: guestCart });
    const apart = await laptop.cart();
    expect(apart.merge.state).toBe('pending');
    expect(quantitiesOf(apart), 'the lines are still apart').toEqual({ [third]: 1 });
  });

  for (const device of [laptop, phone]) await device.expectCart({ [first]: 1, [second]: 2, [third]: 1 }, 40_000);
  expect((await laptop.cart()).merge.state).toBe('merged');
  expect(await countJoins(guestCart), 'exactly one GuestJoined in the log').toBe(1);
});

/** Reads the whole topic with its own consumer. */
async function countJoins(guestCart: string): Promise<number> {
  const log = createLogger('e2e', 'silent');
  const eventLog = await openEventLog({ kind: 'kafka', brokers: kafkaBrokers, clientId: 'e2e', log, clock: systemClock });
  let joins = 0;
  const ends = await eventLog.bounds(topics.cartEvents);
  const read = new Map<number, bigint>();
  const subscription = await eventLog.subscribe({
    group: `e2e-${randomUUID()}`,
    topics: [topics.cartEvents],
    from: 'earliest',
    handler: (batch) => {
      for (const record of batch.records) {
        const { event } = fromBinary(CartEventSchema, record.value!);
        if (event.case === 'guestJoined' && event.value.guestCartId === guestCart) joins++;
      }
      read.set(batch.partition, batch.records.at(-1)!.offset + 1n);
      return Promise.resolve();
    },
  });
  await expect
    .poll(() => [...ends].every(([partition, { first, next }]) => first === next || (read.get(partition) ?? 0n) >= next), {
      timeout: 30_000,
    })
    .toBe(true);
  await subscription.stop();
  await eventLog.close();
  return joins;
}
