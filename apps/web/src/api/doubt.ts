/**
 * Decides what a failed write proves. When an answer is lost, the shop may or may not have taken the write. A later try that fails does not settle
 * this: it says nothing about the first try.
 */
import { ApiProblem } from './request.ts';
import { isPassing, withRetry, type RetryParts } from './retry.ts';

/** The shop may have taken the write: no answer came, or an answer that does not know. */
const openCodes: ReadonlySet<string> = new Set(['network', 'outcome_unknown', 'deadline_exceeded', 'internal', 'cancelled']);

/** @param vague the route also says `unavailable` when an answer inside the shop was lost. Routes of the cart say `outcome_unknown` then. */
export function leavesOpen(error: unknown, vague = false): boolean {
  return error instanceof ApiProblem && (openCodes.has(error.code) || (vague && error.code === 'unavailable'));
}

/**
 * These refusals prove that no earlier try of the cart command was taken, even if its answer was lost. `command_expired` is not among them: an id
 * may have become too old after it was taken.
 */
const closingCodes: ReadonlySet<string> = new Set(['invalid_request', 'command_conflict', 'unknown_line']);

/** Whether the shop certainly did not take the cart command. @param isOpen an earlier try of it got no answer */
export function isRefused(error: unknown, isOpen: boolean): boolean {
  if (!(error instanceof ApiProblem)) return false;
  return isOpen ? closingCodes.has(error.code) : !isPassing(error) && !leavesOpen(error);
}

/** Tells what a repeat does, by kind of write, while the outcome of the first is unknown. */
export interface Again {
  /** The write is idempotent. The page repeats it by itself, within the bound of retry.ts. */
  readonly repeats: boolean;
  /** The page tells the person this once it has given up. */
  readonly words: string;
}

export interface WriteDoubts {
  readonly subscribe: (listener: () => void) => () => void;
  /** How many writes the page is repeating at this moment. */
  readonly askedAgain: () => number;
  /** Another person uses the page now. They must not hear of the previous person's writes. */
  readonly forget: () => void;
  /** Sends a write, and reports whether it was taken, refused, or is unknown. */
  readonly settle: <Answer>(name: string, again: Again, send: () => Promise<Answer>) => Promise<Answer>;
}

/** If a write was sent twice and the second try gets one of these codes, the first was taken. */
const goneCodes: ReadonlySet<string> = new Set(['not_found']);

/** For every write but the cart's commands (outbox.ts) and the order (use-place-order.ts). */
export function createWriteDoubts(parts: RetryParts): WriteDoubts {
  const open = new Set<string>();
  const listeners = new Set<() => void>();
  let asked = 0;
  const change = (by: number): void => {
    asked += by;
    for (const listener of listeners) listener();
  };
  const settle = async <Answer>(name: string, again: Again, send: () => Promise<Answer>): Promise<Answer> => {
    let told = false;
    const attempt = async (): Promise<Answer> => {
      try {
        return await send();
      } catch (error) {
        if (!leavesOpen(error, true)) throw error;
        open.add(name);
        if (!told && again.repeats) change(1);
        told ||= again.repeats;
        throw error;
      }
    };
    try {
      const answer = await (again.repeats ? withRetry(attempt, parts) : attempt());
      open.delete(name);
      return answer;
    } catch (error) {
      if (!open.has(name) || !(error instanceof ApiProblem)) throw error;
      if (goneCodes.has(error.code)) open.delete(name);
      throw inDoubt(error, again);
    } finally {
      if (told) change(-1);
    }
  };
  return {
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    askedAgain: () => asked,
    forget: () => open.clear(),
    settle,
  };
}

/** The gateway answers these before it looks at the write. */
const doorCodes: ReadonlySet<string> = new Set(['session_ended', 'session_required', 'sign_in_required', 'too_many_requests']);

/** A refusal by a part that looked at the write is final. Any other failure leaves the outcome of the earlier try unknown. */
function inDoubt(error: ApiProblem, { words }: Again): ApiProblem {
  if (goneCodes.has(error.code)) return new ApiProblem('done_before', error.status, 'This is done: an earlier try had been taken.');
  const says = ![isPassing(error), leavesOpen(error), doorCodes.has(error.code)].includes(true);
  return says ? error : new ApiProblem('outcome_unknown', error.status, words, error.retryAfterMs);
}
