/**
 * Refresh rotation by a counter, the pure half (docs/decisions/0009-refresh-rotation-by-counter.md). A session in the modes `jwt` and `jwt-denylist`
 * counts its refresh tokens. Auth makes token n anew from n alone, so the store keeps a number and no token. The loser of a race can therefore get
 * the same successor as the winner.
 *
 * The stores apply these decisions in one step; the contract suite holds them to it:
 * - The newest token moves the counter.
 * - Its predecessor gets the same successor for a short grace: two tabs, a lost answer, two gateways.
 * - A token newer than the counter is genuine, since only auth can seal one. The store was rolled back, and goes on from that token.
 * - After a proof (step-up), or a change that a proof allowed (a new password), no predecessor gets the successor, which is worth more than it. The
 *   refresh is refused, and the person stays signed in.
 * - Any other token was used before. Two parties have it, and the store cannot tell which one is the owner. The session must end.
 */
import { limits } from './session.limits.ts';
import type { Proof, RefreshVerdict, SessionRecord } from './session.store.ts';

type Counted = Pick<SessionRecord, 'generation' | 'rotatedAtMs' | 'authenticatedAtMs'>;

/** Whether a proof or a change moved the counter last, not a mere refresh. The sign of its date holds this, so no further field is needed. */
export const movedByProof = ({ rotatedAtMs }: Pick<Counted, 'rotatedAtMs'>): boolean => rotatedAtMs < 0;

/** @param proof with one, each client that may have the successor gets its own */
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

/** The new state of the counter. Only 'rotated' moves it. */
export function afterRefresh(counted: Counted, shown: number, proof: Proof, nowMs: number): Counted {
  if (judgeRefresh(counted, shown, proof, nowMs) !== 'rotated') return counted;
  return {
    generation: Math.max(shown, counted.generation) + 1,
    rotatedAtMs: proof === 'none' ? nowMs : -nowMs,
    authenticatedAtMs: proof === 'now' ? nowMs : counted.authenticatedAtMs,
  };
}
