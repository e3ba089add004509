import { useEffect, useRef, type FormEvent } from 'react';
import type { AddressWish } from '../api/api.types.ts';
import { countries, countryName, postalCodeFault } from './countries.ts';
import { textOf } from '../components/form.ts';

interface AddressFormProps {
  readonly address: AddressWish | undefined;
  readonly busy: boolean;
  readonly onSave: (address: AddressWish) => void;
  /** Undefined: the person has nothing to go back to. */
  readonly onCancel: (() => void) | undefined;
  /** No button opened the form, so the focus stays where it is. */
  readonly quiet?: boolean;
}

export function AddressForm({ address, busy, onSave, onCancel, quiet = false }: AddressFormProps) {
  const opened = useRef<HTMLFormElement>(null);
  // The button that opened the form is gone and took the focus with it.
  useEffect(() => {
    if (!quiet) opened.current?.querySelector('input')?.focus();
  }, [quiet]);
  /** The browser shows the text at the field, and sends no form that has one. */
  const judge = (): void => {
    const fields = opened.current?.elements;
    const [code, country] = [fields?.namedItem('postalCode'), fields?.namedItem('country')];
    if (code instanceof HTMLInputElement && country instanceof HTMLSelectElement)
      code.setCustomValidity(postalCodeFault(country.value, code.value));
  };
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string): string => textOf(form, name);
    const line2 = text('line2');
    onSave({
      ...(address?.addressId !== undefined && { addressId: address.addressId }),
      name: text('name'),
      line1: text('line1'),
      ...(line2 !== '' && { line2 }),
      city: text('city'),
      postalCode: text('postalCode'),
      country: text('country'),
    });
  };
  return (
    <form ref={opened} onSubmit={submit} onChange={judge} className="stack inset" aria-label={address ? 'Edit address' : 'New address'}>
      <TextField label="Recipient" name="name" autoComplete="name" value={address?.name} />
      <TextField label="Street and number" name="line1" autoComplete="address-line1" value={address?.line1} />
      <TextField label="Addition (optional)" name="line2" autoComplete="address-line2" value={address?.line2} optional />
      <div className="columns">
        <TextField label="Postal code" name="postalCode" autoComplete="postal-code" value={address?.postalCode} />
        <TextField label="City" name="city" autoComplete="address-level2" value={address?.city} />
      </div>
      <label className="field">
        Country
        <select name="country" autoComplete="country" defaultValue={address?.country ?? 'DE'} required>
          {[...new Set([...countries, ...(address ? [address.country] : [])])].map((code) => (
            <option key={code} value={code}>
              {countryName(code)}
            </option>
          ))}
        </select>
      </label>
      <div className="row">
        <button className="primary" aria-busy={busy}>
          Save address
        </button>
        {onCancel && (
          <button type="button" onClick={onCancel}>
            Cancel
          </button>
        )}
      </div>
    </form>
  );
}

interface TextFieldProps {
  readonly label: string;
  readonly name: string;
  readonly autoComplete: string;
  readonly value: string | undefined;
  readonly optional?: boolean;
}

function TextField({ label, name, autoComplete, value, optional = false }: TextFieldProps) {
  return (
    <label className="field">
      {label}
      <input name={name} autoComplete={autoComplete} defaultValue={value} required={!optional} maxLength={100} />
    </label>
  );
}
