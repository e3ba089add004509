import { lazy, Suspense, useEffect, useRef } from 'react';
import { Link, Outlet, Route, Routes, useLocation } from 'react-router';
import { CartDrawerProvider, loadCartDrawer } from './cart/cart-drawer-state.tsx';
import { Header, SessionNotice } from './frame/header.tsx';
import { HomePage } from './catalog/home.page.tsx';
import { Icon } from './components/icons.tsx';
import type { RequestLog } from './frame/last-request.ts';
import { loadPopover } from './components/lazy-popover.tsx';
import { PendingNotes, useAskForPending } from './cart/pending.tsx';
import { NotFoundPage } from './components/not-found.page.tsx';
import { Loading } from './components/problem-note.tsx';
import { SessionBar, showSessionBar, useSessionBarShown } from './frame/session-bar.tsx';

// The browser fetches a page when the person goes to it. The home page comes with the frame, because most visits begin there.
const ProductListPage = lazy(() => import('./catalog/product-list.page.tsx'));
const ProductPage = lazy(() => import('./catalog/product.page.tsx'));
const CartPage = lazy(() => import('./cart/cart.page.tsx'));
const CheckOutPage = lazy(() => import('./checkout/checkout.page.tsx'));
const OrdersPage = lazy(() => import('./orders/orders.page.tsx'));
const OrderPage = lazy(() => import('./orders/order.page.tsx'));
const SignInPage = lazy(() => import('./sign-in/sign-in.page.tsx'));
const SignUpPage = lazy(() => import('./sign-in/sign-up.page.tsx'));
const AccountPage = lazy(() => import('./account/account.page.tsx'));
const ProfilePage = lazy(() => import('./account/profile.page.tsx'));
const AddressesPage = lazy(() => import('./account/addresses.page.tsx'));
const RecentlyViewedPage = lazy(() => import('./account/recently-viewed.page.tsx'));
const SecurityPage = lazy(() => import('./security/security.page.tsx'));
const AdminPage = lazy(() => import('./security/admin.page.tsx'));
const DevicesPage = lazy(() => import('./security/devices.page.tsx'));

/** Every page of the shop. */
export function App({ requests }: { readonly requests: RequestLog }) {
  return (
    <Routes>
      <Route element={<Frame requests={requests} />}>
        <Route index element={<HomePage />} />
        <Route path="products" element={<ProductListPage />} />
        <Route path="category/:category" element={<ProductListPage />} />
        <Route path="search" element={<ProductListPage />} />
        <Route path="products/:productId" element={<ProductPage />} />
        <Route path="cart" element={<CartPage />} />
        <Route path="checkout" element={<CheckOutPage />} />
        <Route path="sign-in" element={<SignInPage />} />
        <Route path="sign-up" element={<SignUpPage />} />
        <Route path="account" element={<AccountPage />}>
          <Route index element={<ProfilePage />} />
          <Route path="addresses" element={<AddressesPage />} />
          <Route path="recently-viewed" element={<RecentlyViewedPage />} />
          <Route path="security" element={<SecurityPage />} />
          <Route path="devices" element={<DevicesPage />} />
        </Route>
        <Route path="orders" element={<AccountPage />}>
          <Route index element={<OrdersPage />} />
        </Route>
        <Route path="orders/:orderId" element={<OrderPage />} />
        <Route path="admin" element={<AdminPage />} />
        <Route path="*" element={<NotFoundPage />} />
      </Route>
    </Routes>
  );
}

function Frame({ requests }: { readonly requests: RequestLog }) {
  const main = useFocusOnPageChange();
  const barShown = useSessionBarShown();
  useAskForPending();
  useEffect(() => {
    // This loads once the page is drawn, so that the first press of a button need not wait.
    const timer = setTimeout(() => void Promise.allSettled([loadCartDrawer(), loadPopover()]), preloadDelayMs);
    return () => clearTimeout(timer);
  }, []);
  return (
    <CartDrawerProvider>
      <a href="#content" className="skip">
        Skip to the content
      </a>
      <Header />
      <main id="content" ref={main} tabIndex={-1}>
        <div className="frame-notes">
          <SessionNotice />
          <PendingNotes />
        </div>
        <Suspense fallback={<Loading what="the page" />}>
          <Outlet />
        </Suspense>
      </main>
      <Footer barShown={barShown} />
      {barShown && <SessionBar log={requests} />}
    </CartDrawerProvider>
  );
}

const preloadDelayMs = 1_500;

/** After a change of page without a page load, scrolls to the top. Moves the focus to the new heading, so that a screen reader announces it. */
function useFocusOnPageChange() {
  const main = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  const shown = useRef(pathname);
  useEffect(() => {
    if (shown.current === pathname) return;
    shown.current = pathname;
    window.scrollTo(0, 0);
    const heading = main.current?.querySelector<HTMLElement>('h1');
    heading?.setAttribute('tabindex', '-1');
    (heading ?? main.current)?.focus({ preventScroll: true });
  }, [pathname]);
  return main;
}

function Footer({ barShown }: { readonly barShown: boolean }) {
  return (
    <footer className="site-footer">
      <div>
        <p className="footer-brand">Cloakroom</p>
        <p>A reference shop: nothing is charged, nothing is sent. What you hang here is still here on your next device.</p>
      </div>
      <ul>
        <li>
          <Link to="/products">All products</Link>
        </li>
        <li>
          <Link to="/account">Account</Link>
        </li>
        <li>
          <Link to="/orders">Orders</Link>
        </li>
        <li>
          <a href="/images/LICENSE.txt">Picture licences</a>
        </li>
        {!barShown && (
          <li>
            <button type="button" className="plain" onClick={showSessionBar}>
              <Icon name="ticket" size={16} /> Show the session bar
            </button>
          </li>
        )}
      </ul>
    </footer>
  );
}
