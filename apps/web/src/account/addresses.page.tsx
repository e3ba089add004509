import { useCallback, useEffect, useRef, useState } from 'react';
import { AddressForm } from './address-form.tsx';
import { withAddress } from './address-list.ts';
import { AddressLines } from './address-lines.tsx';
import type { AddressWish } from '../api/api.types.ts';
import { Loading, ProblemNote } from '../components/problem-note.tsx';
import { useToast } from '../components/toasts.tsx';
import { CopyNote } from './profile-copy.tsx';
import { useProfile, useUpdateProfile } from './update-profile.tsx';

/** The profile service keeps no more than this. */
const addressCountMax = 20;

export default function AddressesPage() {
  const profile = useProfile();
  return (
    <section aria-labelledby="addresses" className="sheet">
      <title>Addresses · Cloakroom</title>
      <h2 id="addresses" tabIndex={-1}>
        Addresses
      </h2>
      {profile.isPending && <Loading what="your addresses" />}
      <ProblemNote error={profile.error} onRetry={() => void profile.refetch()} />
      <CopyNote profile={profile.data} onRetry={() => void profile.refetch()} />
      {profile.data && <Addresses addresses={profile.data.addresses ?? []} />}
    </section>
  );
}

/** The page replaces the whole list. An address keeps its id. A new one has none, and the server gives it one. */
function Addresses({ addresses }: { readonly addresses: readonly AddressWish[] }) {
  const update = useUpdateProfile();
  const toast = useToast();
  const [editing, setEditing] = useState<AddressWish | 'new'>();
  const { within, focusNext } = useFocusAfterChange();
  const indexOf = (address: AddressWish): number => addresses.findIndex(({ addressId }) => addressId === address.addressId);
  const save = (address: AddressWish): void => {
    const isNew = address.addressId === undefined;
    const next = isNew ? withAddress(addresses, address) : addresses.map((old) => (old.addressId === address.addressId ? address : old));
    const onSuccess = (): void => {
      focusNext({ index: isNew ? next.length - 1 : indexOf(address) });
      setEditing(undefined);
      toast({ text: 'Address saved.' });
    };
    update.mutate({ addresses: next }, { onSuccess });
  };
  const remove = (address: AddressWish): void => {
    const undo = (): void => update.mutate({ addresses });
    const onSuccess = (): void => {
      focusNext('heading');
      toast({ text: `Removed the address of ${address.name}.`, action: { label: 'Undo', run: undo } });
    };
    update.mutate({ addresses: addresses.filter((old) => old.addressId !== address.addressId) }, { onSuccess });
  };
  const cancel = (): void => {
    focusNext(editing === undefined || editing === 'new' ? 'add' : { index: indexOf(editing) });
    setEditing(undefined);
  };
  return (
    <div ref={within} className="stack">
      {addresses.length === 0 && editing === undefined && <p className="quiet">No address yet.</p>}
      <ul className="address-list" aria-labelledby="addresses">
        {addresses.map((address) => (
          <AddressCard key={address.addressId} address={address} onEdit={() => setEditing(address)} onRemove={() => remove(address)} />
        ))}
      </ul>
      <ProblemNote error={update.error} />
      {editing === undefined ? (
        <div className="row">
          <button type="button" data-place="add" disabled={addresses.length >= addressCountMax} onClick={() => setEditing('new')}>
            Add an address
          </button>
        </div>
      ) : (
        <AddressForm
          key={editing === 'new' ? 'new' : editing.addressId}
          address={editing === 'new' ? undefined : editing}
          busy={update.isPending}
          onSave={save}
          onCancel={cancel}
        />
      )}
    </div>
  );
}

/** `index` counts addresses. A new one appears once the service has answered. */
type Place = { readonly index: number } | 'add' | 'heading';

/**
 * A form that closes takes the focus with it, and so does an address that is removed. `focusNext` moves the focus to the address that was edited
 * or added, to the button that opened the form, or to the heading. It waits until that place has been drawn.
 */
function useFocusAfterChange() {
  const within = useRef<HTMLDivElement>(null);
  const wanted = useRef<Place>(undefined);
  useEffect(() => {
    const place = wanted.current;
    if (place === undefined) return;
    const target =
      place === 'heading'
        ? document.getElementById('addresses')
        : place === 'add'
          ? within.current?.querySelector<HTMLElement>('[data-place="add"]')
          : within.current?.querySelectorAll<HTMLElement>('[data-edit]')[place.index];
    if (!target) return;
    wanted.current = undefined;
    target.focus();
  });
  return { within, focusNext: useCallback((place: Place) => void (wanted.current = place), []) };
}

interface AddressCardProps {
  readonly address: AddressWish;
  readonly onEdit: () => void;
  readonly onRemove: () => void;
}

function AddressCard({ address, onEdit, onRemove }: AddressCardProps) {
  const whose = `address of ${address.name}, ${address.city}`;
  return (
    <li className="address">
      <AddressLines address={address} />
      <div className="row">
        <button type="button" data-edit aria-label={`Edit ${whose}`} onClick={onEdit}>
          Edit
        </button>
        <button type="button" className="plain" aria-label={`Remove ${whose}`} onClick={onRemove}>
          Remove
        </button>
      </div>
    </li>
  );
}
