import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, newPerson, test } from './device.ts';
import { dataDir, killAndWaitForSuccessor, processId } from './stack.ts';

test('the cart comes back from the log when its Redis lost everything', async ({ newDevice, products }) => {
  test.setTimeout(120_000);
  const [first, second] = products as [string, string];
  const device = await newDevice();
  await device.register(newPerson());
  await device.add(first, 2);
  await device.add(second, 1);
  await device.expectCart({ [first]: 2, [second]: 1 });

  const before = processId('redis-carts');
  rmSync(join(dataDir, 'redis-carts'), { recursive: true, force: true });
  await killAndWaitForSuccessor('redis-carts');
  expect(processId('redis-carts')).not.toBe(before);
  await device.expectCart({ [first]: 2, [second]: 1 }, 30_000);
});

test('sessions and carts are apart: the loss of one Redis is not the loss of the other', async ({ newDevice, products }) => {
  test.setTimeout(120_000);
  const device = await newDevice();
  await device.register(newPerson());
  await device.add(products[0]!, 1);
  await device.expectCart({ [products[0]!]: 1 });
  rmSync(join(dataDir, 'redis-sessions'), { recursive: true, force: true });
  await killAndWaitForSuccessor('redis-sessions');
  await expect.poll(() => device.state(), { timeout: 20_000, message: 'a wiped session store signs people out, visibly' }).toBe('none');
});
