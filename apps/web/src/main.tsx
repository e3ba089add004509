import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router';
import { App } from './app.tsx';
import { ApiProblem } from './request.ts';
import { retryDelayMs } from './retry.ts';
import { SessionProvider } from './session.tsx';
import { createShopApi } from './shop-api.ts';
import { keys, ShopApiProvider } from './shop.tsx';
import { StepUpProvider } from './step-up.tsx';
import './styles.css';

const api = createShopApi({
  fetch: (path, init) => fetch(path, init),
  nowMs: () => Date.now(),
  random: () => Math.random(),
  randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
});

/** A refusal that says who we are not: ask who we are, so that the page says so too. */
const onError = (error: Error): void => {
  if (error instanceof ApiProblem && ['session_ended', 'session_required', 'sign_in_required'].includes(error.code))
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
    // A command repeats itself with its own id (shop-api.ts); a mutation is otherwise repeated only by the person.
    mutations: { retry: false, networkMode: 'always' },
  },
});

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <ShopApiProvider value={api}>
        <BrowserRouter>
          <SessionProvider>
            <StepUpProvider>
              <App />
            </StepUpProvider>
          </SessionProvider>
        </BrowserRouter>
      </ShopApiProvider>
    </QueryClientProvider>
  </StrictMode>,
);
