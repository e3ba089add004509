/** The page of administrators. Everybody else sees a page that does not exist. The gateway refuses their requests in any case. */
import type { User } from '@cloakroom/contracts/http';
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { AskFirst } from '../components/ask-first.tsx';
import { EndEverything } from './end-everything.tsx';
import { textOf } from '../components/form.ts';
import { plural } from '../format.ts';
import { NotFoundPage } from '../components/not-found.page.tsx';
import { Loading, ProblemNote } from '../components/problem-note.tsx';
import { useSession } from '../session/session.tsx';
import { keys, useApi } from '../api/shop.tsx';
import { useStepUp } from '../sign-in/step-up.tsx';
import { useToast } from '../components/toasts.tsx';

export default function AdminPage() {
  const { session, error, retry } = useSession();
  if (session === undefined) return error ? <ProblemNote error={error} onRetry={retry} /> : <Loading what="the page" />;
  if (session.user?.role !== 'admin') return <NotFoundPage />;
  return (
    <>
      <title>Administration · Cloakroom</title>
      <h1>Administration</h1>
      <div className="sections">
        <Users self={session.user.id} />
      </div>
    </>
  );
}

function Users({ self }: { readonly self: string }) {
  const api = useApi();
  const withStepUp = useStepUp();
  const [query, setQuery] = useState('');
  const users = useQuery({
    queryKey: [...keys.users, query],
    queryFn: ({ signal }) => api.findUsers(query, signal),
    placeholderData: keepPreviousData,
  });
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    setQuery(textOf(new FormData(event.currentTarget), 'query'));
  };
  return (
    <>
      <section aria-labelledby="users" className="sheet">
        <h2 id="users">People</h2>
        <search aria-label="People">
          <form onSubmit={submit} className="row end">
            <input
              name="query"
              className="grow"
              aria-label="Part of a name or an e-mail"
              placeholder="Part of a name or an e-mail"
              maxLength={254}
            />
            <button>Find</button>
          </form>
        </search>
        {users.isPending && <Loading what="the people" />}
        {/* The page asks for a proof only when the person wants the list, not when it reads the list again by itself. */}
        <ProblemNote
          error={users.error}
          onRetry={() => void withStepUp(() => users.refetch({ throwOnError: true })).catch(() => undefined)}
        />
        <output className="quiet">{users.data && !users.isPlaceholderData && saidOf(users.data.items.length, query)}</output>
        <ul className="lines" aria-labelledby="users">
          {users.data?.items.map((user) => (
            <UserLine key={user.userId} user={user} isSelf={user.userId === self} />
          ))}
        </ul>
      </section>
      {/* Not before the list above it is there: it would be pushed down under the pointer. */}
      {!users.isPending && <EndEverything />}
    </>
  );
}

function saidOf(count: number, query: string): string {
  if (count === 0) return `Nobody has “${query}” in their name or e-mail.`;
  return query === '' ? 'The newest accounts.' : `${plural(count, 'person', 'people')} found.`;
}

const acts = {
  disable: (name: string) => `${name} is disabled and signed out everywhere.`,
  enable: (name: string) => `${name} may sign in again.`,
  revoke: (name: string) => `All sessions of ${name} are ended.`,
};

/** Its buttons are never `disabled`. A disabled button would lose the focus, and the step-up dialog gives the focus back to it. */
function UserLine({ user, isSelf }: { readonly user: User; readonly isSelf: boolean }) {
  const api = useApi();
  const withStepUp = useStepUp();
  const queryClient = useQueryClient();
  const toast = useToast();
  const { userId, name, email, disabled, sessions } = user;
  const act = useMutation({
    mutationFn: (what: keyof typeof acts) => withStepUp(() => api.actOnUser(userId, what)),
    onSuccess: (_done, what) => toast({ text: acts[what](name) }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: keys.users }),
  });
  const button = (what: keyof typeof acts, words: string, of: string, question?: string) => (
    <AskFirst
      words={words}
      label={`${words} ${of} ${name}, ${email}`}
      question={question}
      yes={`Yes, ${words.toLowerCase()}`}
      no="No"
      busy={act.isPending}
      onYes={() => act.mutate(what)}
    />
  );
  return (
    <li className="device" aria-label={`${name}, ${email}`}>
      <div className="line-name">
        <strong>
          {name} {user.role === 'admin' && <span className="badge">Administrator</span>}
          {disabled && <span className="badge bad">Disabled</span>}
        </strong>
        <span className="quiet">
          {email} · {sessions === 0 ? 'no sessions' : plural(sessions, 'session')}
        </span>
      </div>
      {isSelf ? (
        <span className="quiet">This is you</span>
      ) : (
        <div className="row">
          {disabled
            ? button('enable', 'Enable', 'the account of')
            : button('disable', 'Disable', 'the account of', `Disable ${name}? They are signed out everywhere and cannot sign in.`)}
          {button('revoke', 'End sessions', 'of')}
        </div>
      )}
      <ProblemNote error={act.error} />
    </li>
  );
}
