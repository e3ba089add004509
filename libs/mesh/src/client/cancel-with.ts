/** How a call ends with the signal that it was given. */
import { problem, type Problem } from '@cloakroom/contracts';
import { isDeadlineReason } from '../deadline.ts';

export const abortedAs = (signal: AbortSignal): Problem => problem(isDeadlineReason(signal.reason) ? 'deadline_exceeded' : 'cancelled');

/** @returns forgets the signal, when what it would cancel is over */
export function cancelWith(signal: AbortSignal | undefined, cancel: () => void): () => void {
  signal?.addEventListener('abort', cancel, { once: true });
  return () => signal?.removeEventListener('abort', cancel);
}
