/** Some actions need a password proven minutes ago (step-up). The action is tried; when refused for that, the password is asked for and the action repeated. */
import { createContext, use, useCallback, useEffect, useRef, useState, type FormEvent, type ReactNode } from 'react';
import { untrimmedTextOf } from './form.ts';
import { ProblemNote } from './problem-note.tsx';
import { ApiProblem } from './request.ts';
import { useSession } from './session.tsx';
import { useApi } from './shop.tsx';

type WithStepUp = <Result>(action: () => Promise<Result>) => Promise<Result>;

const StepUpContext = createContext<WithStepUp | undefined>(undefined);

export function useStepUp(): WithStepUp {
  const withStepUp = use(StepUpContext);
  if (!withStepUp) throw new Error('useStepUp outside of StepUpProvider');
  return withStepUp;
}

export function StepUpProvider({ children }: { readonly children: ReactNode }) {
  const [asking, setAsking] = useState<{ readonly answer: (proven: boolean) => void }>();
  const withStepUp: WithStepUp = useCallback(async (action) => {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof ApiProblem) || error.code !== 'step_up_required') throw error;
      const proven = await new Promise<boolean>((answer) => setAsking({ answer }));
      setAsking(undefined);
      if (!proven) throw error;
      return action();
    }
  }, []);
  return (
    <StepUpContext value={withStepUp}>
      {children}
      {asking && <PasswordDialog onDone={asking.answer} />}
    </StepUpContext>
  );
}

function PasswordDialog({ onDone }: { readonly onDone: (proven: boolean) => void }) {
  const api = useApi();
  const { session, adopt } = useSession();
  const dialog = useRef<HTMLDialogElement>(null);
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    // It is taken away without being closed, and then gives nothing back by itself.
    return () => void (before instanceof HTMLElement && before.focus());
  }, []);

  const prove = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const password = untrimmedTextOf(new FormData(event.currentTarget), 'password');
    setBusy(true);
    try {
      await adopt(await api.reauthenticate(password));
      onDone(true);
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <dialog ref={dialog} aria-labelledby="step-up-title" onCancel={() => onDone(false)}>
      <form onSubmit={(event) => void prove(event)} className="stack">
        <h2 id="step-up-title">Confirm that it is you</h2>
        <p>This needs your password, because you last proved it more than five minutes ago.</p>
        <ProblemNote error={error} />
        <input type="hidden" name="username" autoComplete="username" value={session?.user?.email ?? ''} readOnly />
        <label className="field">
          Password
          <input name="password" type="password" autoComplete="current-password" required autoFocus />
        </label>
        <div className="row">
          <button className="primary" disabled={busy}>
            {busy ? 'Checking…' : 'Confirm'}
          </button>
          <button type="button" onClick={() => onDone(false)}>
            Cancel
          </button>
        </div>
      </form>
    </dialog>
  );
}
