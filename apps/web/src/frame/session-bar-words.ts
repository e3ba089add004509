/** Plain functions that put the headers into the words of the session bar. */
import type { Session } from '@cloakroom/contracts/http';
import type { RequestNote } from './last-request.ts';

export function nameOfCaller({ user, state }: Pick<Session, 'user' | 'state'>): string {
  return user?.name ?? (state === 'guest' ? 'guest' : 'nobody yet');
}

/** Says who decided, and how. */
export function decisionWords(note: RequestNote | undefined): string {
  switch (note?.identity) {
    case 'hit':
      return 'The gateway knew this session: its cache, under the lease of the revocation feed.';
    case 'asked':
      return 'The gateway asked auth.';
    case 'joined':
      return 'Another request asked auth at the same moment. This one took the same answer.';
    case 'local':
      return 'The gateway checked the signed token by itself.';
    case 'refreshed':
      return 'auth exchanged the refresh token for a new pair.';
    case 'degraded':
      return 'auth did not answer. The gateway went on with what it knew, for a short time.';
    case 'ended':
      return 'This session is over. The gateway refused it.';
    case 'unavailable':
      return 'Nobody could tell: auth did not answer.';
    default:
      return 'Nobody had to: the request brought no session.';
  }
}

/**
 * Says which region answers and where the session lives; undefined in a shop of one region.
 * @param unreachable home was just refused to be reachable, so this page has no newer answer
 */
export function regionWord(
  session: Pick<Session, 'region'> | undefined,
  unreachable: boolean,
): { readonly word: string; readonly tone: 'quiet' | 'warn' } | undefined {
  const { here, home, homeReachable } = session?.region ?? {};
  if (unreachable || homeReachable === false)
    return {
      word: `${here === undefined ? '' : `${here} · `}home region ${home === undefined ? '' : `${home} `}unreachable`,
      tone: 'warn',
    };
  if (here === undefined) return undefined;
  return { word: home === undefined || home === here ? `region ${here}` : `region ${here} · home ${home}`, tone: 'quiet' };
}

/** The page of the Observatory about one request. */
export function watchUrl(observatory: string | undefined, traceId: string | undefined): string | undefined {
  return observatory === undefined || traceId === undefined ? undefined : `${observatory}/requests/${traceId}`;
}

/** One word for how the gateway identified the caller. `tone` colours it. */
export function identityWord(note: RequestNote | undefined): { readonly word: string; readonly tone: 'good' | 'quiet' | 'warn' } {
  switch (note?.identity) {
    case undefined:
    case 'none':
      return { word: 'no session', tone: 'quiet' };
    case 'hit':
      return { word: 'cache hit', tone: 'good' };
    case 'local':
      return { word: 'verified here', tone: 'good' };
    case 'refreshed':
      return { word: 'renewed', tone: 'good' };
    case 'asked':
      return { word: 'asked auth', tone: 'quiet' };
    case 'joined':
      return { word: 'joined', tone: 'quiet' };
    case 'ended':
      return { word: 'ended', tone: 'warn' };
    default:
      return { word: note?.identity ?? '', tone: 'warn' };
  }
}

/** The narrowest bar that is drawn. One millisecond out of a second and a half would be invisible. */
const sliverPercent = 6;
/** When this share of the budget is spent, one slow part would cost the answer. */
export const warnPercent = 60;

export function spentPercent(totalMs: number, budgetMs: number): number {
  return Math.min(100, Math.max(sliverPercent, Math.round((totalMs / budgetMs) * 100)));
}

export const formatMs = (ms: number): string => (ms < 9.95 ? ms.toFixed(1) : String(Math.round(ms)));
