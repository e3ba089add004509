/** The password and the e-mail address. */
import { useState, type FormEvent } from 'react';
import { EndOthersOffer } from './end-others-offer.tsx';
import { textOf, untrimmedTextOf } from '../components/form.ts';
import { plural } from '../format.ts';
import { NewPasswordField } from '../sign-in/new-password-field.tsx';
import { useOtherSessions } from './other-sessions.ts';
import { ProblemNote } from '../components/problem-note.tsx';
import { useSession } from '../session/session.tsx';
import { useApi } from '../api/shop.tsx';
import { useChange } from './use-change.ts';

interface Done {
  readonly text: string;
  readonly otherSessions: number;
}

export function PasswordSection() {
  const api = useApi();
  const { session, adopt } = useSession();
  const others = useOtherSessions();
  const [done, setDone] = useState<Done>();
  const change = useChange(
    (body: { password: string; endOthers: boolean }) => api.changePassword(body),
    async (next, { endOthers }) => {
      await adopt(next);
      const text = `Your password is changed.${endOthers && others > 0 ? ` ${plural(others, 'other device')} signed out.` : ''}`;
      setDone({ text, otherSessions: endOthers ? 0 : others });
    },
  );
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    if (change.isPending) return;
    const form = event.currentTarget;
    const data = new FormData(form);
    const body = { password: untrimmedTextOf(data, 'password'), endOthers: data.get('endOthers') !== null };
    change.mutate(body, { onSuccess: () => form.reset() });
  };
  return (
    <section aria-labelledby="password" className="sheet">
      <h2 id="password">Password</h2>
      {done && !change.isPending && <EndOthersOffer done={done.text} otherSessions={done.otherSessions} />}
      <form onSubmit={submit} className="stack short">
        <input type="hidden" name="username" autoComplete="username" value={session?.user?.email ?? ''} readOnly />
        <NewPasswordField label="New password" />
        {others > 0 && (
          <label className="check">
            <input type="checkbox" name="endOthers" defaultChecked />
            Sign out my other devices ({others})
          </label>
        )}
        <ProblemNote error={change.error} />
        <div className="row">
          <button className="primary" aria-busy={change.isPending}>
            Change password
          </button>
        </div>
      </form>
    </section>
  );
}

export function EmailSection() {
  const api = useApi();
  const { session, adopt } = useSession();
  const others = useOtherSessions();
  const [done, setDone] = useState<Done>();
  const change = useChange(
    (email: string) => api.changeEmail(email),
    async (next) => {
      await adopt(next);
      setDone({ text: `You sign in with ${next.user?.email} from now on.`, otherSessions: others });
    },
  );
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = event.currentTarget;
    if (!change.isPending) change.mutate(textOf(new FormData(form), 'email'), { onSuccess: () => form.reset() });
  };
  return (
    <section aria-labelledby="email" className="sheet">
      <h2 id="email">E-mail</h2>
      {done && !change.isPending && <EndOthersOffer done={done.text} otherSessions={done.otherSessions} />}
      <p className="quiet">
        You sign in with <strong>{session?.user?.email}</strong>.
      </p>
      <form onSubmit={submit} className="stack short">
        <label className="field">
          New e-mail
          <input name="email" type="email" autoComplete="email" required maxLength={254} />
        </label>
        <ProblemNote error={change.error} />
        <div className="row">
          <button className="primary" aria-busy={change.isPending}>
            Change e-mail
          </button>
        </div>
      </form>
    </section>
  );
}
