import { useMutation } from '@tanstack/react-query';
import { Link, NavLink, Outlet, useLocation, useNavigate } from 'react-router';
import { AskFirst } from '../components/ask-first.tsx';
import { Loading, ProblemNote } from '../components/problem-note.tsx';
import { useSession } from '../session/session.tsx';
import { useHasUnsavedCodes } from '../security/unsaved.ts';
import { useDisplayName } from './update-profile.tsx';

/** The frame of the personal pages. A guest has preferences and recently viewed products. All else needs a signed-in person. */
export default function AccountPage() {
  const { session, error, retry } = useSession();
  const name = useDisplayName();
  const { pathname } = useLocation();
  if (session === undefined) return error ? <ProblemNote error={error} onRetry={retry} /> : <Loading what="your account" />;
  if (session.state === 'none')
    return (
      <div className="empty">
        <title>Account · Cloakroom</title>
        <img src="/empty-hanger.svg" alt="" width="160" height="120" />
        <h1>Your account</h1>
        <p>Sign in to see your orders, profile and devices.</p>
        <Link to={`/sign-in?next=${encodeURIComponent(pathname)}`} className="button primary">
          Sign in
        </Link>
      </div>
    );
  const isUser = session.state === 'user';
  return (
    <>
      <h1>{isUser ? `Hello${name === undefined ? '' : `, ${name}`}` : 'Your preferences'}</h1>
      <div className="account-columns">
        <div className="account-side">
          <nav aria-label="Account" className="tabs">
            <NavLink to="/account" end>
              {isUser ? 'Profile' : 'Preferences'}
            </NavLink>
            {isUser && <NavLink to="/orders">Orders</NavLink>}
            {isUser && <NavLink to="/account/addresses">Addresses</NavLink>}
            <NavLink to="/account/recently-viewed">Recently viewed</NavLink>
            {isUser && <NavLink to="/account/security">Security</NavLink>}
            {isUser && <NavLink to="/account/devices">Devices</NavLink>}
            {session.user?.role === 'admin' && <NavLink to="/admin">Administration</NavLink>}
          </nav>
          {isUser ? <SignOut /> : <Link to="/sign-in?next=/account">Sign in</Link>}
        </div>
        <div className="account-main">
          <Outlet />
        </div>
      </div>
    </>
  );
}

function SignOut() {
  const { signOut } = useSession();
  const navigate = useNavigate();
  const unsaved = useHasUnsavedCodes();
  const leave = useMutation({ mutationFn: signOut, onSuccess: () => navigate('/') });
  return (
    <>
      <AskFirst
        words="Sign out"
        className="plain"
        question={unsaved ? 'Your recovery codes are not saved yet, and are not shown again. Sign out all the same?' : undefined}
        yes="Sign out"
        no="Back to the codes"
        busy={leave.isPending}
        onYes={() => leave.mutate()}
      />
      <ProblemNote error={leave.error} />
    </>
  );
}
