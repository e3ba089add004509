import type { Address } from '@cloakroom/contracts/http';
import { countryName } from './countries.ts';

export function AddressLines({ address }: { readonly address: Omit<Address, 'addressId'> }) {
  return (
    <address>
      <strong>{address.name}</strong>
      <span>{[address.line1, address.line2].filter(Boolean).join(', ')}</span>
      <span>
        {address.postalCode} {address.city}, {countryName(address.country)}
      </span>
    </address>
  );
}
