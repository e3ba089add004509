/** Asks the person for a fresh proof: a password, with a code if the account has a second factor, or a passkey. */
import type { FactorMethod } from '@cloakroom/contracts/http';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState, type FormEvent } from 'react';
import { CodeField, RecoveryCodeField } from './code-field.tsx';
import { textOf, untrimmedTextOf } from '../components/form.ts';
import { passkeysAreSupported, provePasskey } from '../session/passkeys.ts';
import { ProblemNote } from '../components/problem-note.tsx';
import { ApiProblem } from '../api/request.ts';
import type { StepUpProof } from '../api/shop-api.ts';
import { useSession } from '../session/session.tsx';
import { keys, useApi } from '../api/shop.tsx';

export default function StepUpDialog({ onDone }: { readonly onDone: (proven: boolean) => void }) {
  const { session } = useSession();
  const dialog = useRef<HTMLDialogElement>(null);
  const { prove, byPasskey, busy, error, methods } = useProof(onDone);
  const [chosen, choose] = useState<FactorMethod>();
  const second = methods && (chosen ?? methods.find((method) => method !== 'passkey'));
  const hasPasskey = useHasPasskey();
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    // React removes the dialog without closing it. A removed dialog does not give the focus back by itself.
    return () => void (before instanceof HTMLElement && before.focus());
  }, []);
  useEffect(() => {
    if (second !== undefined) dialog.current?.querySelector<HTMLElement>('input.code')?.focus();
  }, [second]);
  return (
    <dialog ref={dialog} aria-labelledby="step-up-title" onCancel={() => onDone(false)}>
      <form onSubmit={prove} className="stack">
        <h2 id="step-up-title">Confirm that it is you</h2>
        <p>This needs a proof that is less than five minutes old.</p>
        <ProblemNote error={error} />
        <input type="hidden" name="username" autoComplete="username" value={session?.user?.email ?? ''} readOnly />
        <label className="field">
          Password
          <input name="password" type="password" autoComplete="current-password" required autoFocus />
        </label>
        {second === 'totp' && <CodeField />}
        {second === 'recovery_code' && <RecoveryCodeField />}
        {methods?.includes('totp') && methods.includes('recovery_code') && (
          <button type="button" className="plain" onClick={() => choose(second === 'totp' ? 'recovery_code' : 'totp')}>
            {second === 'totp' ? 'Use a recovery code' : 'Use a code of your app'}
          </button>
        )}
        <div className="row">
          <button className="primary" aria-disabled={busy}>
            {busy ? 'Checking…' : 'Confirm'}
          </button>
          <button type="button" onClick={() => onDone(false)}>
            Cancel
          </button>
        </div>
        {hasPasskey && (
          <button type="button" aria-disabled={busy} onClick={() => void byPasskey()}>
            Use a passkey
          </button>
        )}
      </form>
    </dialog>
  );
}

function useHasPasskey(): boolean {
  const api = useApi();
  const { data } = useQuery({ queryKey: keys.factors, queryFn: ({ signal }) => api.factors(signal), enabled: passkeysAreSupported() });
  return (data?.passkeys.length ?? 0) > 0;
}

/** `methods` is set after a right password, if the account needs a second factor too. */
function useProof(onDone: (proven: boolean) => void) {
  const api = useApi();
  const { adopt } = useSession();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const [methods, setMethods] = useState<readonly FactorMethod[]>();
  const attempt = async (proof: () => Promise<StepUpProof>): Promise<void> => {
    if (busy) return;
    setBusy(true);
    try {
      await adopt(await api.reauthenticate(await proof()));
      onDone(true);
    } catch (failure) {
      const asked = failure instanceof ApiProblem ? failure.secondFactor : undefined;
      if (asked) setMethods(asked.methods);
      setError(failure);
      setBusy(false);
    }
  };
  const prove = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const [code, recoveryCode] = [textOf(form, 'code'), textOf(form, 'recoveryCode')];
    const password = untrimmedTextOf(form, 'password');
    void attempt(() => Promise.resolve({ password, ...(code !== '' && { code }), ...(recoveryCode !== '' && { recoveryCode }) }));
  };
  const byPasskey = () =>
    attempt(async () => {
      const { challenge, options } = await api.passkeyStepUp();
      return { challenge, response: await provePasskey(options) };
    });
  return { prove, byPasskey, busy, error, methods };
}
