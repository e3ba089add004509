/** The operator's command as a process, on a real Kafka. The log has its real name, so the test looks only at rows of its own cart. */
import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { CartEventSchema, recordHeaders, topics, uuidToBytes, uuidV7 } from '@cloakroom/contracts';
import { openEventLog } from '@cloakroom/event-log';
import { createLogger, systemClock } from '@cloakroom/platform';
import { expect, it } from 'vitest';

const brokers = process.env['TEST_KAFKA_BROKERS'] ?? '';
/** Two programs start one after the other, on a machine that runs everything else as well. */
const patienceMs = 60_000;

function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(import.meta.dirname, '../cli.ts'), 'cart', ...args], (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}

it(
  'prints what happened to a cart, and the cart after each event',
  async () => {
    const log = createLogger('cart-operations-test', 'silent');
    const eventLog = await openEventLog({ kind: 'kafka', brokers: brokers.split(','), clientId: randomUUID(), log, clock: systemClock });
    const cartId = `u_${uuidV7(Date.now(), randomBytes(10))}`;
    const commandId = uuidToBytes(uuidV7(Date.now(), randomBytes(10)));
    const value = toBinary(
      CartEventSchema,
      create(CartEventSchema, {
        cartId,
        atMs: BigInt(Date.now()),
        event: { case: 'itemAdded', value: { dot: { cartId, commandId }, line: { productId: 'mug' }, quantity: 2 } },
      }),
    );
    await eventLog.ensureTopics([topics.cartEvents]);
    const headers = { [recordHeaders.eventVersion]: Buffer.from('1') };
    await eventLog.publish(
      topics.cartEvents,
      [1, 2].map(() => ({ key: cartId, value: Buffer.from(value), headers })),
    );
    await eventLog.close();

    const table = await run('history', cartId, '--brokers', brokers);
    expect(table).toMatchObject({ code: 0, err: expect.stringContaining('2 events in partition') });
    expect(table.out).toMatch(/add 2 mug as \.\.[0-9a-f]{8} +mug 2\n.*add 2 mug as .* - changes nothing +mug 2\n/);
  },
  patienceMs,
);
