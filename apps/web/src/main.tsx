import type { Session } from '@cloakroom/contracts/http';
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { I18nProvider } from 'react-aria-components/I18nProvider';
import { BrowserRouter } from 'react-router';
import { App } from './app.tsx';
import { carryingPosition } from './api/cart-position.ts';
import { createRequestLog, recording } from './frame/last-request.ts';
import { openPageSpans } from './api/open-page-spans.ts';
import { createPendingStore } from './api/pending-store.ts';
import { ownerOf } from './cart/pending-words.ts';
import { ApiProblem } from './api/request.ts';
import { retryDelayMs } from './api/retry.ts';
import { SessionProvider } from './session/session.tsx';
import { createShopApi } from './api/shop-api.ts';
import { keys, ShopApiProvider } from './api/shop.tsx';
import { StepUpProvider } from './sign-in/step-up.tsx';
import { ToastProvider } from './components/toasts.tsx';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/frame.css';
import './styles/home.css';
import './styles/products.css';
import './styles/cart.css';
import './styles/orders.css';
import './styles/account.css';
import './styles/security.css';
import './styles/overlays.css';
import './styles/session-bar.css';

const requests = createRequestLog();
const nowMs = (): number => Date.now();
const pageSpans = openPageSpans();
const api = createShopApi({
  fetch: recording(pageSpans.watching(carryingPosition((path, init) => fetch(path, init), nowMs)), requests),
  store: createPendingStore(() => sessionStorage, nowMs),
  owner: () => ownerOf(queryClient.getQueryData<Session>(keys.session)),
  nowMs,
  onProblem: (problem) => onError(problem),
  random: () => Math.random(),
  randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
});

/** A refusal says that the page is wrong about who is here, so the page reads the session again. */
const onError = (error: Error): void => {
  if (error instanceof ApiProblem && ['session_ended', 'session_required', 'sign_in_required', 'other_cart'].includes(error.code))
    void queryClient.invalidateQueries({ queryKey: keys.session });
};

const queryClient: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    queries: {
      retry: (failures, error) => retryDelayMs(error, failures + 1, 0) !== undefined,
      retryDelay: (failures, error) => retryDelayMs(error, failures + 1, Math.random()) ?? 0,
    },
    // A command repeats itself under its own id (shop-api.ts). Only the person repeats any other mutation.
    mutations: { retry: false, networkMode: 'always' },
  },
});

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <ShopApiProvider value={api}>
        <I18nProvider locale="en-US">
          <BrowserRouter>
            <SessionProvider pageSpans={pageSpans}>
              <StepUpProvider>
                <ToastProvider>
                  <App requests={requests} />
                </ToastProvider>
              </StepUpProvider>
            </SessionProvider>
          </BrowserRouter>
        </I18nProvider>
      </ShopApiProvider>
    </QueryClientProvider>
  </StrictMode>,
);
