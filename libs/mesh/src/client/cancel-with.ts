/** Cancels a call when its signal aborts. */
import { problem, type Problem } from '@cloakroom/contracts';
import { isDeadlineReason } from '../deadline.ts';

export const abortedAs = (signal: AbortSignal): Problem => problem(isDeadlineReason(signal.reason) ? 'deadline_exceeded' : 'cancelled');

/** @returns stops listening to the signal, once the call is over */
export function cancelWith(signal: AbortSignal | undefined, cancel: () => void): () => void {
  signal?.addEventListener('abort', cancel, { once: true });
  return () => signal?.removeEventListener('abort', cancel);
}
