import { Link, NavLink, Outlet, useLocation } from 'react-router';
import { Loading, ProblemNote } from './problem-note.tsx';
import { useSession } from './session.tsx';

/** The frame of the personal pages. A guest has preferences and recently viewed products; the rest is for those who signed in. */
export function AccountPage() {
  const { session, error, retry } = useSession();
  const { pathname } = useLocation();
  if (session === undefined) return error ? <ProblemNote error={error} onRetry={retry} /> : <Loading what="your account" />;
  if (session.state === 'none')
    return (
      <div className="empty">
        <title>Account · Cloakroom</title>
        <h1>Your account</h1>
        <p>Sign in to see your profile and your devices.</p>
        <Link to={`/sign-in?next=${encodeURIComponent(pathname)}`} className="button primary">
          Sign in
        </Link>
      </div>
    );
  return (
    <>
      <h1>{session.state === 'user' ? `Hello, ${session.user?.name}` : 'Your preferences'}</h1>
      {session.state === 'user' && (
        <nav aria-label="Account" className="tabs">
          <NavLink to="/account" end>
            Profile
          </NavLink>
          <NavLink to="/account/devices">Devices</NavLink>
        </nav>
      )}
      <Outlet />
    </>
  );
}
