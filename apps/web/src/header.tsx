import { useMutation } from '@tanstack/react-query';
import { Link, NavLink, useNavigate } from 'react-router';
import { useCart } from './cart.ts';
import { plural } from './format.ts';
import { useSession } from './session.tsx';

export function Header() {
  const { session } = useSession();
  const { data: cart } = useCart();
  const count = cart?.lines.reduce((sum, line) => sum + line.quantity, 0) ?? 0;
  return (
    <header className="site-header">
      <div className="bar">
        <Link to="/" className="brand">
          <img src="/favicon.svg" alt="" width="28" height="28" />
          Cloakroom
        </Link>
        <nav aria-label="Main">
          <NavLink to="/" end>
            Shop
          </NavLink>
          <NavLink to="/cart" aria-label={`Cart, ${plural(count, 'item')}`}>
            Cart <span className={count === 0 ? 'count none' : 'count'}>{count}</span>
          </NavLink>
          {session?.state === 'user' ? (
            <PersonLinks name={session.user?.name ?? 'Account'} />
          ) : (
            <GuestLinks isGuest={session?.state === 'guest'} />
          )}
        </nav>
      </div>
    </header>
  );
}

function PersonLinks({ name }: { readonly name: string }) {
  const { signOut } = useSession();
  const navigate = useNavigate();
  const leave = useMutation({ mutationFn: signOut, onSuccess: () => navigate('/') });
  return (
    <>
      <NavLink to="/account">
        <span className="visually-hidden">Account of </span>
        <span className="person-name">{name}</span>
      </NavLink>
      <button type="button" className="plain" disabled={leave.isPending} onClick={() => leave.mutate()}>
        Sign out
      </button>
      {leave.isError && (
        <span role="alert" className="quiet">
          Not signed out. Try again.
        </span>
      )}
    </>
  );
}

function GuestLinks({ isGuest }: { readonly isGuest: boolean }) {
  return (
    <>
      {isGuest && <NavLink to="/account">Preferences</NavLink>}
      <NavLink to="/sign-in">Sign in</NavLink>
    </>
  );
}

/** Says what happened to the session when it was not this page's doing. */
export function SessionNotice() {
  const { notice, dismissNotice, session } = useSession();
  return (
    <div aria-live="polite">
      {notice !== undefined && (
        <div className="note notice">
          <p>{notice}</p>
          <div className="row">
            {session?.state !== 'user' && (
              <Link to="/sign-in" onClick={dismissNotice}>
                Sign in
              </Link>
            )}
            <button type="button" onClick={dismissNotice}>
              Dismiss
            </button>
          </div>
        </div>
      )}
    </div>
  );
}
