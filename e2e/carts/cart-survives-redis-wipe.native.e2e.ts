import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, newPerson, test } from '../kit/device.ts';
import { dataDir, killAndWaitForSuccessor, processId } from '../kit/stack.ts';

/** Empties the folder and keeps it: the folder itself may be a link. */
function emptyFolder(name: string): void {
  const folder = join(dataDir, name);
  const files = readdirSync(folder);
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) rmSync(join(folder, file), { recursive: true, force: true });
}

test('the cart comes back from the log when its Redis lost everything', async ({ newDevice, products }) => {
  test.setTimeout(120_000);
  const [first, second] = products as [string, string];
  const device = await newDevice();
  await device.register(newPerson());
  await device.add(first, 2);
  await device.add(second, 1);
  await device.expectCart({ [first]: 2, [second]: 1 });

  const before = processId('redis-carts');
  emptyFolder('redis-carts');
  await killAndWaitForSuccessor('redis-carts');
  expect(processId('redis-carts')).not.toBe(before);
  await device.expectCart({ [first]: 2, [second]: 1 }, 30_000);
});

test('a wiped session store signs people out, and their cart waits for them', async ({ newDevice, products }) => {
  test.setTimeout(120_000);
  const person = newPerson();
  const device = await newDevice();
  await device.register(person);
  await device.add(products[0]!, 1);
  await device.expectCart({ [products[0]!]: 1 });

  const before = processId('redis-sessions');
  emptyFolder('redis-sessions');
  await killAndWaitForSuccessor('redis-sessions');
  expect(processId('redis-sessions')).not.toBe(before);
  // Sensitive requests ask auth at once; others may be served from an identity cache for at most 60 s.
  const refused = await device.insist('GET', '/api/session/devices');
  expect([refused.status, refused.body.code]).toEqual([401, 'session_ended']);
  expect((await device.signIn(person)).status).toBe(200);
  await device.expectCart({ [products[0]!]: 1 });
});
