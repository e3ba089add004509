/** Plain functions that put the headers into the words of the session bar. */
import type { RequestNote } from './last-request.ts';

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
