import type { AddressWish } from '../api/api.types.ts';

/**
 * With a new one, at the end. One that is there already is not there twice: the answer to a first "Save" may have been lost, and the list read again
 * since then holds it.
 */
export function withAddress(addresses: readonly AddressWish[], made: AddressWish): readonly AddressWish[] {
  const isSame = (one: AddressWish): boolean =>
    (['name', 'line1', 'line2', 'city', 'postalCode', 'country'] as const).every((field) => (one[field] ?? '') === (made[field] ?? ''));
  const known = addresses.find(isSame);
  return known === undefined ? [...addresses, made] : [...addresses.filter((one) => one !== known), known];
}
