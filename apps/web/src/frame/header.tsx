import { useEffect, useRef, useState } from 'react';
import { Link, NavLink, useLocation } from 'react-router';
import { useCartDrawer } from '../cart/cart-drawer-state.tsx';
import { countOf, useCart } from '../cart/cart.ts';
import { plural } from '../format.ts';
import { Icon } from '../components/icons.tsx';
import { categoryPath } from '../products/product-card.tsx';
import { useCategories } from '../products/products.ts';
import { Search } from './search.tsx';
import { useSession } from '../session/session.tsx';
import { useDisplayName } from '../account/update-profile.tsx';
import { ThemeSwitch } from './theme-switch.tsx';

export function Header() {
  return (
    <header className="site-header">
      <div className="bar">
        <Link to="/" className="brand" aria-label="Cloakroom, home">
          <img src="/favicon.svg" alt="" width="30" height="30" />
          <span>Cloakroom</span>
        </Link>
        <Search />
        <nav aria-label="Main" className="actions">
          <ThemeSwitch />
          <AccountLink />
          <CartButton />
        </nav>
      </div>
      <CategoryNav />
    </header>
  );
}

function AccountLink() {
  const { session } = useSession();
  const name = useDisplayName();
  if (session?.state === 'user')
    return (
      <NavLink to="/account" className="action" aria-label={`Account of ${name ?? 'you'}`}>
        <Icon name="person" />
        <span className="action-text">{name ?? 'Account'}</span>
      </NavLink>
    );
  return (
    <NavLink to="/sign-in" className="action">
      <Icon name="person" />
      <span className="action-text">Sign in</span>
    </NavLink>
  );
}

/** Opens the cart beside the page. On the cart page itself it opens nothing. */
function CartButton() {
  const { data: cart } = useCart();
  const { session } = useSession();
  // Before the answer nobody knows what is in the cart. A page without a session has none.
  const isKnown = cart !== undefined || session?.state === 'none';
  const { open, isOpen } = useCartDrawer();
  const { pathname } = useLocation();
  const count = countOf(cart);
  const inside = (
    <>
      <Icon name="bag" />
      <span className="visually-hidden">{isKnown ? `Cart, ${plural(count, 'item')}` : 'Cart'}</span>
      <span className="action-text" aria-hidden="true">
        Cart
      </span>
      <span className={count === 0 ? 'count none' : 'count'} key={count} aria-hidden="true">
        {isKnown ? count : '…'}
      </span>
    </>
  );
  return (
    <>
      {pathname === '/cart' ? (
        <Link to="/cart" className="action" aria-current="page">
          {inside}
        </Link>
      ) : (
        <button type="button" className="action" aria-haspopup="dialog" aria-expanded={isOpen} onClick={() => open()}>
          {inside}
        </button>
      )}
      <CountAnnouncer count={cart && count} />
    </>
  );
}

/** Tells a screen reader the new count when it changes, but not when the page arrives. */
function CountAnnouncer({ count }: { readonly count: number | undefined }) {
  const [said, setSaid] = useState('');
  const before = useRef(count);
  useEffect(() => {
    if (before.current !== undefined && count !== undefined && before.current !== count) setSaid(`Cart: ${plural(count, 'item')}`);
    if (count !== undefined) before.current = count;
  }, [count]);
  return (
    <span className="visually-hidden" aria-live="polite" data-live-announcer="true">
      {said}
    </span>
  );
}

function CategoryNav() {
  const { data: categories } = useCategories();
  return (
    <nav aria-label="Categories" className="categories">
      <ul>
        {categories?.map(({ value }) => (
          <li key={value}>
            <NavLink to={categoryPath(value)}>{value}</NavLink>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** Says what happened to the session, if this page did not cause it. */
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
