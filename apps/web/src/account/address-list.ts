import type { AddressWish } from '../api/api.types.ts';

/**
 * Adds an address at the end of the list. The list may hold it already, when the answer to a first "Save" was lost and the list was read again.
 * Then the list keeps it once.
 */
export function withAddress(addresses: readonly AddressWish[], made: AddressWish): readonly AddressWish[] {
  const isSame = (one: AddressWish): boolean =>
    (['name', 'line1', 'line2', 'city', 'postalCode', 'country'] as const).every((field) => (one[field] ?? '') === (made[field] ?? ''));
  const known = addresses.find(isSame);
  return known === undefined ? [...addresses, made] : [...addresses.filter((one) => one !== known), known];
}
