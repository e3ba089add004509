import type { Profile } from '@cloakroom/contracts/http';
import type { FormEvent } from 'react';
import { Link } from 'react-router';
import { textOf } from '../components/form.ts';
import { Loading, ProblemNote } from '../components/problem-note.tsx';
import { useSession } from '../session/session.tsx';
import { CopyNote } from './profile-copy.tsx';
import { Saved, useProfile, useUpdateProfile } from './update-profile.tsx';

export default function ProfilePage() {
  const { session } = useSession();
  const profile = useProfile();
  const isUser = session?.state === 'user';
  return (
    <div className="sections">
      <title>Profile · Cloakroom</title>
      {profile.isPending && <Loading what="your profile" />}
      <ProblemNote error={profile.error} onRetry={() => void profile.refetch()} />
      <CopyNote profile={profile.data} onRetry={() => void profile.refetch()} />
      {!isUser && (
        <p className="note notice">
          You are a guest. <Link to="/sign-in?next=/account">Sign in</Link> to keep these and to store your name and addresses.
        </p>
      )}
      {profile.data && isUser && (
        <NameForm name={profile.data.name || session.user?.name} email={profile.data.email || session.user?.email} />
      )}
      {profile.data && <PreferencesForm preferences={profile.data.preferences} />}
    </div>
  );
}

/** Right after a sign-up the profile service may not know the account yet. The session does. */
function NameForm({ name, email }: { readonly name: string | undefined; readonly email: string | undefined }) {
  const update = useUpdateProfile();
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    update.mutate({ name: textOf(new FormData(event.currentTarget), 'name') });
  };
  return (
    <section aria-labelledby="you" className="sheet">
      <h2 id="you">You</h2>
      <form onSubmit={submit} className="stack">
        <div className="columns">
          <label className="field">
            Name
            <input name="name" autoComplete="name" required maxLength={100} defaultValue={name} />
          </label>
          <label className="field">
            E-mail
            <input type="email" value={email ?? ''} readOnly aria-describedby="email-hint" />
            <span id="email-hint" className="quiet">
              What you sign in with. <Link to="/account/security">Change it</Link>
            </span>
          </label>
        </div>
        <ProblemNote error={update.error} />
        <div className="row">
          <button className="primary" aria-busy={update.isPending}>
            Save name
          </button>
          <Saved shown={update.isSuccess} />
        </div>
      </form>
    </section>
  );
}

const choices = [
  { key: 'clothingSize', label: 'Clothing size', values: ['XS', 'S', 'M', 'L', 'XL'] },
  { key: 'shoeSize', label: 'Shoe size', values: ['37', '38', '39', '40', '41', '42', '43', '44'] },
  { key: 'newsletter', label: 'Newsletter', values: ['Never', 'Monthly', 'Weekly'] },
] as const;

function PreferencesForm({ preferences }: { readonly preferences: Profile['preferences'] }) {
  const update = useUpdateProfile();
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const chosen = Object.fromEntries(choices.map(({ key }) => [key, textOf(form, key)]));
    // The server replaces the whole set, so the page sends along what other pages put there. It leaves out an empty choice.
    const next = Object.entries({ ...preferences, ...chosen }).filter(([, value]) => value !== '');
    update.mutate({ preferences: Object.fromEntries(next) });
  };
  return (
    <section aria-labelledby="preferences" className="sheet">
      <h2 id="preferences">Preferences</h2>
      <form onSubmit={submit} className="stack">
        <div className="columns">
          {choices.map(({ key, label, values }) => (
            <label key={`${key}:${preferences[key] ?? ''}`} className="field">
              {label}
              <select name={key} defaultValue={preferences[key] ?? ''}>
                <option value="">No preference</option>
                {values.map((value) => (
                  <option key={value}>{value}</option>
                ))}
              </select>
            </label>
          ))}
        </div>
        <ProblemNote error={update.error} />
        <div className="row">
          <button className="primary" aria-busy={update.isPending}>
            Save preferences
          </button>
          <Saved shown={update.isSuccess} />
        </div>
      </form>
    </section>
  );
}
