import { useEffect, useRef } from 'react';
import { Link, Outlet, Route, Routes, useLocation } from 'react-router';
import { AccountPage } from './account.page.tsx';
import { CartPage } from './cart.page.tsx';
import { DevicesPage } from './devices.page.tsx';
import { Header, SessionNotice } from './header.tsx';
import { ProductListPage } from './product-list.page.tsx';
import { ProductPage } from './product.page.tsx';
import { ProfilePage } from './profile.page.tsx';
import { SignInPage, SignUpPage } from './sign-in.page.tsx';

/** Every page of the shop. */
export function App() {
  return (
    <Routes>
      <Route element={<Frame />}>
        <Route index element={<ProductListPage />} />
        <Route path="products/:productId" element={<ProductPage />} />
        <Route path="cart" element={<CartPage />} />
        <Route path="sign-in" element={<SignInPage />} />
        <Route path="sign-up" element={<SignUpPage />} />
        <Route path="account" element={<AccountPage />}>
          <Route index element={<ProfilePage />} />
          <Route path="devices" element={<DevicesPage />} />
        </Route>
        <Route path="*" element={<NotFoundPage />} />
      </Route>
    </Routes>
  );
}

function Frame() {
  const main = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  const shown = useRef(pathname);
  // A page change without a page load: start at the top, and tell a screen reader by moving the focus there.
  useEffect(() => {
    if (shown.current === pathname) return;
    shown.current = pathname;
    window.scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [pathname]);
  return (
    <>
      <a href="#content" className="skip">
        Skip to the content
      </a>
      <Header />
      <main id="content" ref={main} tabIndex={-1}>
        <SessionNotice />
        <Outlet />
      </main>
      <footer className="site-footer">
        <p>Cloakroom is a reference shop: nothing is charged, nothing is sent. Pictures: Fluent Emoji, MIT.</p>
      </footer>
    </>
  );
}

function NotFoundPage() {
  return (
    <div className="empty">
      <title>Not found · Cloakroom</title>
      <h1>There is nothing here</h1>
      <Link to="/" className="button primary">
        To the shop
      </Link>
    </div>
  );
}
