import { useMutation } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { textOf } from '../components/form.ts';
import { ProblemNote } from '../components/problem-note.tsx';
import { useSession } from '../session/session.tsx';
import { useApi } from '../api/shop.tsx';
import { useStepUp } from '../sign-in/step-up.tsx';

const confirmation = 'end every session';

/** The emergency brake signs out everybody, guests and this administrator too. The person types a word, so that no slip of the hand does it. */
export function EndEverything() {
  const api = useApi();
  const { adopt } = useSession();
  const withStepUp = useStepUp();
  const [wrong, setWrong] = useState(false);
  const end = useMutation({
    mutationFn: () => withStepUp(() => api.revokeEverything()),
    onSuccess: () => adopt({ state: 'none' }),
  });
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const matches = textOf(new FormData(event.currentTarget), 'confirmation').toLowerCase() === confirmation;
    setWrong(!matches);
    if (matches && !end.isPending) end.mutate();
  };
  return (
    <section aria-labelledby="everything" className="sheet danger">
      <h2 id="everything">End every session of everybody</h2>
      <p>
        All people and all guests are signed out, on all devices, you too. Carts of people stay; carts of guests cannot be reached any more.
        It cannot be undone.
      </p>
      <form onSubmit={submit} className="stack short">
        <label className="field">
          To confirm, type: {confirmation}
          <input name="confirmation" required autoComplete="off" autoCapitalize="none" spellCheck={false} aria-invalid={wrong} />
        </label>
        {wrong && (
          <p role="alert" className="note problem">
            Type “{confirmation}”, then press the button.
          </p>
        )}
        <ProblemNote error={end.error} />
        <div className="row">
          <button className="danger-button" aria-busy={end.isPending}>
            End every session
          </button>
        </div>
      </form>
    </section>
  );
}
