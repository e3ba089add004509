import { useEffect, useRef, useState } from 'react';
import { AddressForm } from '../account/address-form.tsx';
import { withAddress } from '../account/address-list.ts';
import { AddressLines } from '../account/address-lines.tsx';
import type { AddressWish } from '../api/api.types.ts';
import { Loading, ProblemNote } from '../components/problem-note.tsx';
import { CopyNote } from '../account/profile-copy.tsx';
import { useProfile, useUpdateProfile } from '../account/update-profile.tsx';

/** The id of the chosen address. The first address counts until the person picks another. */
export function useChosenAddress() {
  const profile = useProfile();
  const [picked, pick] = useState<string>();
  const addresses = profile.data?.addresses ?? [];
  const known = addresses.find(({ addressId }) => addressId !== undefined && addressId === picked) ?? addresses[0];
  return { profile, addresses, addressId: known?.addressId, pick };
}

interface AddressStepProps {
  readonly chosen: ReturnType<typeof useChosenAddress>;
  readonly disabled: boolean;
}

export function AddressStep({ chosen: { profile, addresses, addressId, pick }, disabled }: AddressStepProps) {
  const [adding, setAdding] = useState(false);
  return (
    <section className="sheet deliver-to" aria-labelledby="deliver-to">
      <h2 id="deliver-to" tabIndex={-1}>
        Deliver to
      </h2>
      {profile.isPending && <Loading what="your addresses" rows={1} />}
      <ProblemNote error={profile.error} onRetry={() => void profile.refetch()} />
      <CopyNote profile={profile.data} onRetry={() => void profile.refetch()} />
      {addresses.length > 0 && (
        <fieldset className="options" aria-labelledby="deliver-to" disabled={disabled}>
          {addresses.map((address) => (
            <label key={address.addressId} className="option">
              <input
                type="radio"
                name="address"
                checked={address.addressId === addressId}
                onChange={() => address.addressId !== undefined && pick(address.addressId)}
              />
              <AddressLines address={address} />
            </label>
          ))}
        </fieldset>
      )}
      {profile.data && <NewAddress addresses={addresses} opened={adding} onOpen={setAdding} onSaved={pick} disabled={disabled} />}
    </section>
  );
}

interface NewAddressProps {
  readonly addresses: readonly AddressWish[];
  readonly opened: boolean;
  readonly onOpen: (open: boolean) => void;
  readonly onSaved: (addressId: string) => void;
  readonly disabled: boolean;
}

/** Without an address the form stands open. After it, the focus moves to the new address, or to the button that opened the form. */
function NewAddress({ addresses, opened, onOpen, onSaved, disabled }: NewAddressProps) {
  const update = useUpdateProfile();
  const within = useRef<HTMLDivElement>(null);
  const next = useRef<'made' | 'button'>(undefined);
  const none = addresses.length === 0;
  useEffect(() => {
    if (next.current === undefined || opened) return;
    const section = within.current?.closest('section');
    const target = section?.querySelector<HTMLElement>(next.current === 'made' ? 'input[name="address"]:checked' : 'button');
    if (!target) return;
    next.current = undefined;
    target.focus();
  });
  const save = (address: AddressWish): void => {
    const known = new Set(addresses.map(({ addressId }) => addressId));
    update.mutate(
      { addresses: withAddress(addresses, address) },
      {
        onSuccess: (profile) => {
          const made = (profile.addresses?.find(({ addressId }) => !known.has(addressId)) ?? profile.addresses?.at(-1))?.addressId;
          next.current = 'made';
          if (made !== undefined) onSaved(made);
          onOpen(false);
        },
      },
    );
  };
  const cancel = (): void => {
    next.current = 'button';
    onOpen(false);
  };
  return (
    <div ref={within} className="stack">
      <ProblemNote error={update.error} />
      {none || opened ? (
        <AddressForm address={undefined} busy={update.isPending} onSave={save} onCancel={none ? undefined : cancel} quiet={none} />
      ) : (
        <div className="row">
          <button type="button" disabled={disabled} onClick={() => onOpen(true)}>
            Add an address
          </button>
        </div>
      )}
    </div>
  );
}
