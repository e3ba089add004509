/** Somebody who is ready to check out, and what an order comes to. */
import type { Order, Product } from '@cloakroom/contracts/http';
import { expect, newPerson, type Device } from './device.ts';

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
  const { body } = await device.insist('GET', `/api/products/${productId}`);
  return (body as Product).stock;
}

export const stepsCalled = ({ steps }: Order, name: string): number => steps.filter((step) => step.name === name).length;
