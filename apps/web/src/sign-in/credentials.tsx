/** Parts that the sign-in page and the sign-up page share. */
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

/** Takes over the answer of any sign-in, and goes back to the page that the person came from. */
export function useEnter(): (next: SignedIn) => Promise<void> {
  const { adopt } = useSession();
  const navigate = useNavigate();
  const toast = useToast();
  const [params] = useSearchParams();
  return async (next) => {
    await adopt(next);
    if (next.endedOldest)
      toast({ text: `You may be signed in on ${sessionCountMax} devices. The one you left alone longest was signed out to make room.` });
    if (next.cartWaitsFor !== undefined)
      toast({
        text: `The region ${next.cartWaitsFor} cannot be reached now. If you filled a cart there as a guest, it joins yours once it can.`,
        action: { label: 'To your cart', run: () => void navigate('/cart') },
      });
    // The guest's cart is being merged into the person's cart, so the person sees the cart first.
    const fallback = next.merge?.state === 'pending' ? '/cart' : '/';
    await navigate(safeNext(params.get('next'), fallback), { replace: true });
  };
}

interface CredentialsProps {
  readonly title: string;
  /** Undefined: another step follows. The form keeps its values for the way back. */
  readonly send: (form: (name: string) => string) => Promise<SignedIn | undefined>;
  /** The page shows another step in place of this form. */
  readonly hidden?: boolean;
  readonly other: ReactNode;
  /** The form is hidden from a signed-in person, who needs no second account. */
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
