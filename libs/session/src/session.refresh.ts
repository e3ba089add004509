/**
 * Refresh rotation by a counter, the pure half (docs/decisions/0009-refresh-rotation-by-counter.md). A session in the modes `jwt` and
 * `jwt-denylist` counts its refresh tokens; token n is made anew from n alone, so the store keeps a number and no token, and a loser of a race
 * can be given the successor that the winner got.
 *
 * What is decided here, the stores do in one step; the contract suite holds them to it:
 * - the newest token moves the counter;
 * - its predecessor, for a short grace, is told the same successor: two tabs, a lost answer, two gateways;
 * - a token newer than the counter is ours all the same, since only auth can seal one: the store was rolled back, and goes on from there;
 * - after a proof (step-up), or a change that one allowed (a new password), no predecessor gets the successor, which is worth more than it: it is
 *   refused, and nobody is signed out for it;
 * - anything else was used before: somebody has a copy, and nobody can say who. The session must end.
 */
import { limits } from './session.limits.ts';
import type { Proof, RefreshVerdict, SessionRecord } from './session.store.ts';

type Counted = Pick<SessionRecord, 'generation' | 'rotatedAtMs' | 'authenticatedAtMs'>;

/** Whether what moved the counter last was a proof or a change, and no mere refresh. Kept as the sign of its date: no further field. */
export const movedByProof = ({ rotatedAtMs }: Pick<Counted, 'rotatedAtMs'>): boolean => rotatedAtMs < 0;

/** @param proof with one, whoever may have the successor gets one of their own */
export function judgeRefresh(
  counted: Pick<Counted, 'generation' | 'rotatedAtMs'>,
  shown: number,
  proof: Proof,
  nowMs: number,
): RefreshVerdict {
  if (shown >= counted.generation) return 'rotated';
  // Replicas share no clock: a move from the future is within the grace.
  if (nowMs - Math.abs(counted.rotatedAtMs) >= limits.refreshGraceMs) return 'reused';
  if (movedByProof(counted)) return 'superseded';
  if (shown < counted.generation - 1) return 'reused';
  const proved = proof !== 'none';
  return proved ? 'rotated' : 'repeated';
}

/** What becomes of the counter. Only 'rotated' moves it. */
export function afterRefresh(counted: Counted, shown: number, proof: Proof, nowMs: number): Counted {
  if (judgeRefresh(counted, shown, proof, nowMs) !== 'rotated') return counted;
  return {
    generation: Math.max(shown, counted.generation) + 1,
    rotatedAtMs: proof === 'none' ? nowMs : -nowMs,
    authenticatedAtMs: proof === 'now' ? nowMs : counted.authenticatedAtMs,
  };
}
