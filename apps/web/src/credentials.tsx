/** What signing in and signing up share. */
import { useMutation } from '@tanstack/react-query';
import type { FormEvent, ReactNode } from 'react';
import { Link, useNavigate, useSearchParams } from 'react-router';
import type { Session } from './api.types.ts';
import { textOf, untrimmedTextOf } from './form.ts';
import { safeNext } from './format.ts';
import { ProblemNote } from './problem-note.tsx';
import { useSession } from './session.tsx';

export function EmailField() {
  return (
    <label className="field">
      E-mail
      <input name="email" type="email" autoComplete="email" required maxLength={254} />
    </label>
  );
}

export function OtherWay({ to, question, answer }: { readonly to: string; readonly question: string; readonly answer: string }) {
  const [params] = useSearchParams();
  return (
    <p className="other-way">
      {question} <Link to={{ pathname: to, search: params.toString() }}>{answer}</Link>
    </p>
  );
}

interface CredentialsProps {
  readonly title: string;
  readonly send: (form: (name: string) => string) => Promise<Session>;
  readonly other: ReactNode;
  readonly children: ReactNode;
}

export function Credentials({ title, send, other, children }: CredentialsProps) {
  const { session, adopt } = useSession();
  const navigate = useNavigate();
  const [params] = useSearchParams();
  const entering = useMutation({
    mutationFn: async (data: FormData) => send((name) => (name === 'password' ? untrimmedTextOf(data, name) : textOf(data, name))),
    onSuccess: async (next) => {
      await adopt(next);
      // A guest's cart is on its way into the person's: where it can be watched is where they look first.
      const fallback = next.merge?.state === 'pending' || next.merge?.state === 'merged' ? '/cart' : '/';
      void navigate(safeNext(params.get('next'), fallback), { replace: true });
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    if (!entering.isPending) entering.mutate(new FormData(event.currentTarget));
  };
  return (
    <div className="sheet narrow-page">
      <title>{`${title} · Cloakroom`}</title>
      <h1>{title}</h1>
      {session?.state === 'guest' && <p className="note plain-note">What is in your cart comes along.</p>}
      {session?.state === 'user' && <p className="note notice">You are signed in as {session.user?.name}.</p>}
      <form onSubmit={submit} className="stack">
        <ProblemNote error={entering.error} />
        {children}
        <button className="primary" aria-busy={entering.isPending}>
          {entering.isPending ? 'One moment…' : title}
        </button>
      </form>
      {other}
    </div>
  );
}
