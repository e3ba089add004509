import type { Passkey } from '@cloakroom/contracts/http';
import type { FormEvent } from 'react';
import { useChangeOutcome } from './change-outcome.tsx';
import { textOf } from '../components/form.ts';
import { formatTime } from '../format.ts';
import { createPasskey, passkeysAreSupported } from '../session/passkeys.ts';
import { ProblemNote } from '../components/problem-note.tsx';
import { useApi } from '../api/shop.tsx';
import { useChange } from './use-change.ts';

/** Passkeys of a phone, a computer or a USB key. The first one brings recovery codes, because from then on the password alone opens nothing. */
export function PasskeysSection({ passkeys }: { readonly passkeys: readonly Passkey[] }) {
  const api = useApi();
  const { outcome, showsCodes, finish } = useChangeOutcome();
  const remove = useChange(
    ({ passkeyId }: Passkey) => api.removePasskey(passkeyId),
    (change, { name }) => finish({ text: `The passkey “${name}” is removed.`, ...change }),
  );
  return (
    <section aria-labelledby="passkeys" className="sheet">
      <h2 id="passkeys">Passkeys</h2>
      {outcome}
      {passkeys.length === 0 ? (
        <p>
          You have none yet. A passkey signs you in with your fingerprint, face or screen lock: there is nothing to remember, and nothing
          that a false page could steal. Once you have one, your password alone no longer opens your account.
        </p>
      ) : (
        <ul className="lines" aria-labelledby="passkeys">
          {passkeys.map((passkey) => (
            <li key={passkey.passkeyId} className="device">
              <div className="line-name">
                <strong>{passkey.name}</strong>
                <span className="quiet">
                  Added {formatTime(passkey.createdAt)} ·{' '}
                  {passkey.lastUsedAt ? `last used ${formatTime(passkey.lastUsedAt)}` : 'not used yet'}
                </span>
              </div>
              <button
                type="button"
                aria-disabled={remove.isPending}
                aria-label={`Remove passkey ${passkey.name}`}
                onClick={() => !remove.isPending && remove.mutate(passkey)}
              >
                Remove
              </button>
            </li>
          ))}
        </ul>
      )}
      <ProblemNote error={remove.error} />
      {!showsCodes && <AddPasskey onDone={finish} />}
    </section>
  );
}

function AddPasskey({ onDone }: { readonly onDone: ReturnType<typeof useChangeOutcome>['finish'] }) {
  const api = useApi();
  const add = useChange(
    async (name: string) => {
      const { challenge, options } = await api.passkeyCreation();
      return api.addPasskey({ challenge, name, response: await createPasskey(options) });
    },
    (change) => onDone({ text: `The passkey “${change.name}” is added.`, ...change }),
  );
  if (!passkeysAreSupported()) return <p className="quiet">This browser cannot make passkeys.</p>;
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = event.currentTarget;
    if (!add.isPending) add.mutate(textOf(new FormData(form), 'name'), { onSuccess: () => form.reset() });
  };
  return (
    <form onSubmit={submit} className="stack short">
      <label className="field">
        Name of the new passkey
        <input name="name" required maxLength={100} autoComplete="off" placeholder="My phone" />
      </label>
      <ProblemNote error={add.error} />
      <div className="row">
        <button className="primary" aria-busy={add.isPending}>
          {add.isPending ? 'Waiting for the passkey…' : 'Add a passkey'}
        </button>
      </div>
    </form>
  );
}
