import { lazy, Suspense } from 'react';
import { Navigate, Outlet, Route, Routes } from 'react-router';
import { useLive } from './api/live.ts';
import { Header } from './frame/header.tsx';
import { ConnectionNote, Loading, NoKey } from './frame/states.tsx';
import { useFocusOnPageChange } from './frame/focus.ts';
import { useTicks } from './tour/use-ticks.ts';

const RequestsPage = lazy(() => import('./requests/requests.page.tsx'));
const FaultsPage = lazy(() => import('./faults/faults.page.tsx'));
const ForgeriesPage = lazy(() => import('./forgeries/forgeries.page.tsx'));
const CartsPage = lazy(() => import('./carts/carts.page.tsx'));
const LabsPage = lazy(() => import('./labs/labs.page.tsx'));
const LabPage = lazy(() => import('./labs/lab.page.tsx'));
const MapPage = lazy(() => import('./map/map.page.tsx'));
const PlacesPage = lazy(() => import('./places/places.page.tsx'));
const SessionsPage = lazy(() => import('./sessions/sessions.page.tsx'));
const TourPage = lazy(() => import('./tour/tour.page.tsx'));

/** Every view of the Observatory. Each has an address of its own. */
export function App() {
  // The tour's signs pass by while another view is open.
  const ticks = useTicks();
  return (
    <Routes>
      <Route element={<Frame />}>
        <Route index element={<Navigate to="/requests" replace />} />
        <Route path="requests/:traceId?" element={<RequestsPage />} />
        <Route path="tour" element={<TourPage ticks={ticks} />} />
        <Route path="map" element={<MapPage />} />
        <Route path="sessions/:handle?" element={<SessionsPage />} />
        <Route path="carts/:cartId?" element={<CartsPage />} />
        <Route path="places" element={<PlacesPage />} />
        <Route path="faults" element={<FaultsPage />} />
        <Route path="forgeries" element={<ForgeriesPage />} />
        <Route path="labs" element={<LabsPage />} />
        <Route path="labs/:name" element={<LabPage />} />
        <Route path="*" element={<NotFound />} />
      </Route>
    </Routes>
  );
}

function Frame() {
  const { connection } = useLive();
  const main = useFocusOnPageChange();
  return (
    <>
      <a href="#content" className="skip">
        Skip to the content
      </a>
      <Header />
      <main id="content" ref={main} tabIndex={-1}>
        {connection === 'key' ? (
          <NoKey />
        ) : (
          <>
            <ConnectionNote />
            <Suspense fallback={<Loading what="the view" />}>
              <Outlet />
            </Suspense>
          </>
        )}
      </main>
    </>
  );
}

function NotFound() {
  return (
    <div className="empty">
      <h1>There is no such view</h1>
      <p>The views are in the line above.</p>
    </div>
  );
}
