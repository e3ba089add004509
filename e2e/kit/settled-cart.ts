import type { Cart } from '@cloakroom/contracts/http';
import { expect, type Device } from './device.ts';

/**
 * Waits until both carts' commands have arrived, then adds `marker` and reads until it shows. A command that counts twice has done so by
 * then. After a pause the next replica may not have heard the log yet, and says "stale" for a while. Only a cart that is not stale counts.
 */
export async function settledCart(device: Device, marker: string): Promise<Cart> {
  await expect.poll(async () => (await device.cart()).merge.state, { timeout: 60_000 }).toBe('merged');
  await device.add(marker);
  await expect.poll(async () => (await device.cart()).lines.some(({ productId }) => productId === marker), { timeout: 30_000 }).toBe(true);
  let cart = await device.cart();
  await expect.poll(async () => (cart = await device.cart()).stale, { timeout: 60_000, message: 'a cart that is not stale' }).toBe(false);
  return cart;
}

export const quantityOf = (cart: Cart, wanted: string): number => cart.lines.find(({ productId }) => productId === wanted)?.quantity ?? 0;
