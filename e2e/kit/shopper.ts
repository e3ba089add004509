/** Somebody who is ready to check out, and what an order comes to. */
import { expect, newPerson, type Device, type Order } from './device.ts';

/** Registered, with an address and these products in the cart. */
export async function shopper(newDevice: () => Promise<Device>, wanted: Readonly<Record<string, number>>): Promise<Device> {
  const device = await newDevice();
  expect((await device.register(newPerson())).status).toBe(201);
  await device.addressId();
  for (const [productId, quantity] of Object.entries(wanted)) await device.add(productId, quantity);
  await device.expectCart(wanted);
  return device;
}

/** At this moment, as a product's page says it. */
export async function stockOf(device: Device, productId: string): Promise<number> {
  return (await device.insist('GET', `/api/products/${productId}`)).body.stock as number;
}

export const stepsCalled = ({ steps }: Order, name: string): number => steps.filter((step) => step.name === name).length;
