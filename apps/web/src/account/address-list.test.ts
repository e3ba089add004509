import { expect, it } from 'vitest';
import { withAddress } from './address-list.ts';

const home = { name: 'Ada', line1: 'St James 12', city: 'London', postalCode: 'SW1A 1AA', country: 'GB' };

it('an address that is saved again, since the first answer was lost, is in the list once', () => {
  const kept = { addressId: 'a1', ...home, line2: '' };
  const other = { addressId: 'a2', ...home, line2: 'Flat 3' };
  expect(withAddress([other], home)).toEqual([other, home]);
  expect(withAddress([kept, other], home)).toEqual([other, kept]);
});
