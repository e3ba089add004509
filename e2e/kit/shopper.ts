/** A person who is ready to check out, and the stock of a product. */
import type { Order, Product } from '@cloakroom/contracts/http';
import { expect, newPerson, type Device } from './device.ts';

/** A registered person with an address and these products in the cart. */
export async function shopper(newDevice: () => Promise<Device>, wanted: Readonly<Record<string, number>>): Promise<Device> {
  const device = await newDevice();
  expect((await device.register(newPerson())).status).toBe(201);
  await device.addressId();
  for (const [productId, quantity] of Object.entries(wanted)) await device.add(productId, quantity);
  await device.expectCart(wanted);
  return device;
}

/** The stock now, as the product's page shows it. */
export async function stockOf(device: Device, productId: string): Promise<number> {
  const { body } = await device.insist('GET', `/api/products/${productId}`);
  return (body as Product).stock;
}

export const stepsCalled = ({ steps }: Order, name: string): number => steps.filter((step) => step.name === name).length;
