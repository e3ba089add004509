import { newPerson, test } from '../kit/device.ts';
import { killAndWaitForSuccessor } from '../kit/stack.ts';

test('no acknowledged line is lost when the broker is killed', async ({ newDevice, products }) => {
  test.setTimeout(120_000);
  const [first, second] = products as [string, string];
  const device = await newDevice();
  await device.register(newPerson());
  await device.add(first, 2);
  await killAndWaitForSuccessor('kafka');
  await device.expectCart({ [first]: 2 });
  await device.add(second, 1);
  await device.expectCart({ [first]: 2, [second]: 1 }, 30_000);
});
