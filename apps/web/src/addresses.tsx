import { useEffect, useRef, useState, type FormEvent } from 'react';
import type { Address } from './api.types.ts';
import { textOf } from './form.ts';
import { ProblemNote } from './problem-note.tsx';
import { Saved, useUpdateProfile } from './update-profile.tsx';

/** What the profile service keeps at most. */
const addressCountMax = 20;

/** The list is replaced as a whole: an address keeps its id, a new one comes without and is given one. */
export function Addresses({ addresses }: { readonly addresses: readonly Address[] }) {
  const update = useUpdateProfile();
  const [editing, setEditing] = useState<Address | 'new'>();
  const save = (address: Address): void => {
    const next = address.addressId
      ? addresses.map((old) => (old.addressId === address.addressId ? address : old))
      : [...addresses, address];
    update.mutate({ addresses: next }, { onSuccess: () => setEditing(undefined) });
  };
  const remove = (address: Address): void => update.mutate({ addresses: addresses.filter((old) => old.addressId !== address.addressId) });
  return (
    <section aria-labelledby="addresses">
      <h2 id="addresses">Addresses</h2>
      {addresses.length === 0 && editing === undefined && <p className="quiet">No address yet.</p>}
      <ul className="lines" aria-labelledby="addresses">
        {addresses.map((address) => (
          <li key={address.addressId} className="address">
            <address>{addressText(address)}</address>
            <div className="row">
              <button type="button" aria-label={`Edit address of ${address.name}, ${address.city}`} onClick={() => setEditing(address)}>
                Edit
              </button>
              <button type="button" aria-label={`Remove address of ${address.name}, ${address.city}`} onClick={() => remove(address)}>
                Remove
              </button>
            </div>
          </li>
        ))}
      </ul>
      <ProblemNote error={update.error} />
      {editing === undefined ? (
        <div className="row">
          <button type="button" disabled={addresses.length >= addressCountMax} onClick={() => setEditing('new')}>
            Add an address
          </button>
          <Saved shown={update.isSuccess} />
        </div>
      ) : (
        <AddressForm
          key={editing === 'new' ? 'new' : editing.addressId}
          address={editing === 'new' ? undefined : editing}
          busy={update.isPending}
          onSave={save}
          onCancel={() => setEditing(undefined)}
        />
      )}
    </section>
  );
}

const addressText = (address: Address): string =>
  [address.name, address.line1, address.line2, `${address.postalCode} ${address.city}`, countryName(address.country)]
    .filter(Boolean)
    .join(', ');

/** Where the shop sends parcels to; the service takes any ISO 3166-1 code. */
const countries = ['AT', 'BE', 'CH', 'CZ', 'DE', 'DK', 'ES', 'FI', 'FR', 'GB', 'IE', 'IT', 'LU', 'NL', 'NO', 'PL', 'PT', 'SE', 'US'];
const regionNames = new Intl.DisplayNames('en', { type: 'region' });
const countryName = (code: string): string => (/^[A-Z]{2}$/.test(code) ? (regionNames.of(code) ?? code) : code);

interface AddressFormProps {
  readonly address: Address | undefined;
  readonly busy: boolean;
  readonly onSave: (address: Address) => void;
  readonly onCancel: () => void;
}

function AddressForm({ address, busy, onSave, onCancel }: AddressFormProps) {
  const opened = useRef<HTMLFormElement>(null);
  // The button that opened the form is gone, and the keyboard's place with it.
  useEffect(() => opened.current?.querySelector('input')?.focus(), []);
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
    <form ref={opened} onSubmit={submit} className="stack sheet" aria-label={address ? 'Edit address' : 'New address'}>
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
        <button type="button" onClick={onCancel}>
          Cancel
        </button>
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
