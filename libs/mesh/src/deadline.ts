/**
 * Latency budgets, and what ends with them. A deadline crosses a hop as the remaining time (grpc-timeout), never as a time of day, so two machines
 * need not agree on the clock. Inside a process it is monotonic.
 */
import { problem, type Problem } from '@cloakroom/contracts';
import type { Clock } from '@cloakroom/platform';
import type { Deadline } from './context.ts';

/** @param budgetMs Infinity for a call that may stay open */
export function startDeadline(budgetMs: number, clock: Clock): Deadline {
  const endMs = clock.monotonicMs() + budgetMs;
  return Object.freeze({ remainingMs: () => Math.max(0, endMs - clock.monotonicMs()) });
}

/**
 * The smaller of the caller's remaining time and the method's own budget.
 * @param callerRemainingMs Infinity when the caller set none
 * @param policyBudgetMs 0: the method sets none (a stream that stays open)
 */
export function budgetOf(callerRemainingMs: number, policyBudgetMs: number): number {
  return Math.max(0, Math.min(callerRemainingMs, policyBudgetMs === 0 ? Number.POSITIVE_INFINITY : policyBudgetMs));
}

/** Reasons for an aborted signal, named as the web platform names them (AbortSignal.timeout, AbortController.abort). */
export const deadlinePassed = (): DOMException => new DOMException('the deadline passed', 'TimeoutError');
export const callerGone = (): DOMException => new DOMException('the caller gave up', 'AbortError');

export function isDeadlineReason(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === 'TimeoutError';
}

export const abortedAs = (signal: AbortSignal): Problem => problem(isDeadlineReason(signal.reason) ? 'deadline_exceeded' : 'cancelled');

/**
 * Cancels a call when its signal aborts.
 * @returns stops listening to the signal, once the call is over
 */
export function cancelWith(signal: AbortSignal | undefined, cancel: () => void): () => void {
  signal?.addEventListener('abort', cancel, { once: true });
  return () => signal?.removeEventListener('abort', cancel);
}
