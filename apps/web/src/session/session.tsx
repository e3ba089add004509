/** Knows who is here. The page cannot read the cookie (HttpOnly), so it asks the gateway. It hears of changes by a live event or a refusal. */
import type { Session } from '@cloakroom/contracts/http';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, use, useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { adoptSession } from './adopt-session.ts';
import type { PageSpans } from '../api/page-spans.ts';
import { useLiveEvents } from './live.ts';
import { identityOf, noticeOfChange } from './session-notice.ts';
import { keys, personalKeys, useApi } from '../api/shop.tsx';
import { aloneAmongTabs, createGuestStarter } from './start-guest.ts';

interface SessionParts {
  /** Undefined until the first answer. */
  readonly session: Session | undefined;
  readonly error: Error | null;
  readonly retry: () => void;
  readonly notice: string | undefined;
  readonly dismissNotice: () => void;
  /** A write that needs a session awaits this first. */
  readonly ensureSession: () => Promise<void>;
  /** Takes over the answer of a sign-in, registration or re-authentication. */
  readonly adopt: (session: Session) => Promise<void>;
  readonly signOut: () => Promise<void>;
}

const SessionContext = createContext<SessionParts | undefined>(undefined);

export function useSession(): SessionParts {
  const parts = use(SessionContext);
  if (!parts) throw new Error('useSession outside of SessionProvider');
  return parts;
}

/** Shorter than the life of anything that could end the session unnoticed. A live event usually comes sooner. */
const sessionStaleMs = 30_000;

interface SessionProviderProps {
  readonly pageSpans: PageSpans;
  readonly children: ReactNode;
}

export function SessionProvider({ pageSpans, children }: SessionProviderProps) {
  const api = useApi();
  const queryClient = useQueryClient();
  const {
    data: session,
    error,
    refetch,
  } = useQuery({ queryKey: keys.session, queryFn: ({ signal }) => api.session(signal), staleTime: sessionStaleMs });
  const { notice, dismissNotice, expectChange } = useChangeNotice(session);
  useLiveEvents(session && identityOf(session), pageSpans);
  const isWatched = session?.observatory !== undefined;
  useEffect(() => (isWatched ? pageSpans.switchOn() : undefined), [isWatched, pageSpans]);

  const adopt = useCallback((next: Session) => adoptSession(queryClient, next), [queryClient]);
  const startGuest = useMemo(
    () => createGuestStarter({ readSession: () => api.session(), startGuest: () => api.startGuest(), alone: aloneAmongTabs }),
    [api],
  );
  const ensureSession = useCallback(async () => {
    const known = queryClient.getQueryData<Session>(keys.session);
    if (known === undefined || known.state === 'none') await adopt(await startGuest());
  }, [queryClient, startGuest, adopt]);
  const signOut = useCallback(async () => {
    expectChange(true);
    try {
      await api.logout();
      await adopt({ state: 'none' });
    } catch (failure) {
      expectChange(false);
      throw failure;
    }
  }, [api, adopt, expectChange]);

  const parts = useMemo(
    () => ({ session, error, retry: () => void refetch(), notice, dismissNotice, ensureSession, adopt, signOut }),
    [session, error, refetch, notice, dismissNotice, ensureSession, adopt, signOut],
  );
  return <SessionContext value={parts}>{children}</SessionContext>;
}

interface ChangeNotice {
  readonly notice: string | undefined;
  readonly dismissNotice: () => void;
  /** The person pressed "Sign out". */
  readonly expectChange: (expected: boolean) => void;
}

/** Forgets the previous person's data. Tells the person, unless this page caused the change. */
function useChangeNotice(session: Session | undefined): ChangeNotice {
  const queryClient = useQueryClient();
  const [notice, setNotice] = useState<string>();
  const identity = session && identityOf(session);
  const previous = useRef(identity);
  const expected = useRef(false);
  useEffect(() => {
    const before = previous.current;
    if (identity === undefined || identity === before) return;
    previous.current = identity;
    if (before === undefined) return;
    for (const queryKey of personalKeys) void queryClient.resetQueries({ queryKey });
    setNotice(noticeOfChange(before, identity, expected.current));
    expected.current = false;
  }, [identity, queryClient]);
  return {
    notice,
    dismissNotice: useCallback(() => setNotice(undefined), []),
    expectChange: useCallback((isExpected) => void (expected.current = isExpected), []),
  };
}
