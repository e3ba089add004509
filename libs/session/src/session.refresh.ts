/**
 * Refresh rotation by a counter, the pure half (docs/decisions/0009-refresh-rotation-by-counter.md). A session in the modes `jwt` and
 * `jwt-denylist` counts its refresh tokens; token n is made anew from n alone, so the store keeps a number and no token, and a loser of a race
 * can be given the successor that the winner got.
 *
 * What is decided here, the stores do in one step; the contract suite holds them to it:
 * - the newest token moves the counter;
 * - its predecessor, for a short grace, is told the same successor: two tabs, a lost answer, two gateways;
 * - a token newer than the counter is ours all the same, since only auth can seal one: the store was rolled back, and goes on from there;
 * - after a proof (step-up) no predecessor gets the successor, which is worth more than it: it is refused, and nobody is signed out for it;
 * - anything else was used before: somebody has a copy, and nobody can say who. The session must end.
 */
import { limits } from './session.limits.ts';
import type { RefreshVerdict, SessionRecord } from './session.store.ts';

type Counted = Pick<SessionRecord, 'generation' | 'rotatedAtMs' | 'authenticatedAtMs'>;

/** @param proved the person has just proved who they are: whoever may have the successor gets one of their own */
export function judgeRefresh(counted: Counted, shown: number, proved: boolean, nowMs: number): RefreshVerdict {
  if (shown >= counted.generation) return 'rotated';
  // Replicas share no clock: a move from the future is within the grace.
  if (nowMs - counted.rotatedAtMs >= limits.refreshGraceMs) return 'reused';
  // A proof dates both in one step, and nothing else does.
  if (counted.rotatedAtMs === counted.authenticatedAtMs) return 'superseded';
  if (shown < counted.generation - 1) return 'reused';
  return proved ? 'rotated' : 'repeated';
}

/** What becomes of the counter. Only 'rotated' moves it. */
export function afterRefresh(counted: Counted, shown: number, proved: boolean, nowMs: number): Counted {
  if (judgeRefresh(counted, shown, proved, nowMs) !== 'rotated') return counted;
  return {
    generation: Math.max(shown, counted.generation) + 1,
    // Never the very moment of the authentication, unless it is one: that is how the two are told apart.
    rotatedAtMs: !proved && nowMs === counted.authenticatedAtMs ? nowMs + 1 : nowMs,
    authenticatedAtMs: proved ? nowMs : counted.authenticatedAtMs,
  };
}
