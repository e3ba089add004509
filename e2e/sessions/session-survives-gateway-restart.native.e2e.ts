import { expect, newPerson, test } from '../kit/device.ts';
import { gateways, killAndWaitForSuccessor } from '../kit/stack.ts';

test('a session lives on when the gateway that made it is killed', async ({ newDevice, products }) => {
  const device = await newDevice();
  await device.call('POST', '/api/session/register', newPerson(), { gateway: gateways[0] });
  await device.add(products[0]!, 2);
  await killAndWaitForSuccessor('gateway-1');
  expect((await device.call('GET', '/api/session', undefined, { gateway: gateways[0] })).body.state).toBe('user');
  await device.expectCart({ [products[0]!]: 2 });
});

test('the other gateway goes on serving while one is down', async ({ newDevice }) => {
  const device = await newDevice();
  await device.call('POST', '/api/session/register', newPerson(), { gateway: gateways[0] });
  const killed = killAndWaitForSuccessor('gateway-1');
  expect((await device.call('GET', '/api/session', undefined, { gateway: gateways[1] })).body.state).toBe('user');
  await killed;
});
