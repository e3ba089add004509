/** What signing in and signing up share. */
import type { SignedIn } from '@cloakroom/contracts/http';
import { useMutation } from '@tanstack/react-query';
import type { FormEvent, ReactNode } from 'react';
import { Link, useNavigate, useSearchParams } from 'react-router';
import { textOf, untrimmedTextOf } from '../components/form.ts';
import { safeNext } from '../format.ts';
import { ProblemNote } from '../components/problem-note.tsx';
import { sessionCountMax } from '../session/session-modes.ts';
import { useSession } from '../session/session.tsx';
import { useToast } from '../components/toasts.tsx';

export function EmailField({ autoComplete = 'email' }: { readonly autoComplete?: string }) {
  return (
    <label className="field">
      E-mail
      <input name="email" type="email" autoComplete={autoComplete} required maxLength={254} />
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

/** What is done with the answer of any sign-in: the page is theirs now, and shows what they came from. */
export function useEnter(): (next: SignedIn) => Promise<void> {
  const { adopt } = useSession();
  const navigate = useNavigate();
  const toast = useToast();
  const [params] = useSearchParams();
  return async (next) => {
    await adopt(next);
    if (next.endedOldest)
      toast({ text: `You may be signed in on ${sessionCountMax} devices. The one you left alone longest was signed out to make room.` });
    // A guest's cart is on its way into the person's: where it can be watched is where they look first.
    const fallback = next.merge?.state === 'pending' ? '/cart' : '/';
    await navigate(safeNext(params.get('next'), fallback), { replace: true });
  };
}

interface CredentialsProps {
  readonly title: string;
  /** Undefined: there is another step, and these are kept for the way back. */
  readonly send: (form: (name: string) => string) => Promise<SignedIn | undefined>;
  /** Another step is shown in place of this one. */
  readonly hidden?: boolean;
  readonly other: ReactNode;
  /** Nothing to offer to a person who is signed in: nobody needs a second account. */
  readonly newcomersOnly?: boolean;
  readonly children: ReactNode;
}

export function Credentials({ title, send, hidden = false, other, newcomersOnly = false, children }: CredentialsProps) {
  const { session } = useSession();
  const enter = useEnter();
  const entering = useMutation({
    mutationFn: async (data: FormData) => send((name) => (name === 'password' ? untrimmedTextOf(data, name) : textOf(data, name))),
    onSuccess: (next) => next && enter(next),
  });
  const isUser = session?.state === 'user';
  const heading = newcomersOnly && isUser ? 'You have an account' : title;
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    if (!entering.isPending) entering.mutate(new FormData(event.currentTarget));
  };
  return (
    <div className="sheet narrow-page" hidden={hidden}>
      {!hidden && <title>{`${heading} · Cloakroom`}</title>}
      <h1>{heading}</h1>
      {session?.state === 'guest' && <p className="note plain-note">What is in your cart comes along.</p>}
      {isUser && <SignedInAlready name={session.user?.name} />}
      {!(newcomersOnly && isUser) && (
        <form onSubmit={submit} className="stack">
          <ProblemNote error={entering.error} />
          {children}
          <button className="primary" aria-busy={entering.isPending}>
            {entering.isPending ? 'One moment…' : title}
          </button>
        </form>
      )}
      {session !== undefined && !isUser && other}
    </div>
  );
}

export function SignedInAlready({ name }: { readonly name: string | undefined }) {
  return (
    <div className="note notice">
      <p>You are signed in as {name}.</p>
      <Link to="/account">To your account</Link>
    </div>
  );
}
