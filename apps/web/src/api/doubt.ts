/**
 * What a failed write proves. An answer that was lost leaves it open whether the write was taken. It stays open, whatever a later try is told: a part
 * that is away says nothing about the first try.
 */
import { ApiProblem } from './request.ts';
import { isPassing, withRetry, type RetryParts } from './retry.ts';

/** The write may have been taken: no answer, or one that does not know. */
const openCodes: ReadonlySet<string> = new Set(['network', 'outcome_unknown', 'deadline_exceeded', 'internal', 'cancelled']);

/** @param vague for routes that also say `unavailable` when an answer inside the shop was lost; those of the cart say `outcome_unknown` then */
export function leavesOpen(error: unknown, vague = false): boolean {
  return error instanceof ApiProblem && (openCodes.has(error.code) || (vague && error.code === 'unavailable'));
}

/** A cart command answers one of these also when an earlier try of it was lost: none of them can follow a try that was taken. An id that is too old by now can. */
const closingCodes: ReadonlySet<string> = new Set(['invalid_request', 'command_conflict', 'unknown_line']);

/** Whether it is now certain that a cart command was not taken. @param isOpen an earlier try of it got no answer */
export function isRefused(error: unknown, isOpen: boolean): boolean {
  if (!(error instanceof ApiProblem)) return false;
  return isOpen ? closingCodes.has(error.code) : !isPassing(error) && !leavesOpen(error);
}

/** What doing a write again does, where its outcome is not known. */
export interface Again {
  /** Naturally idempotent: the page repeats it by itself, within the bound of retry.ts. */
  readonly repeats: boolean;
  /** For the person, once the page has given up. */
  readonly words: string;
}

export interface WriteDoubts {
  readonly subscribe: (listener: () => void) => () => void;
  /** How many writes are being asked for again at this moment. */
  readonly askedAgain: () => number;
  /** Somebody else is here now: what the person before did is not theirs to hear of. */
  readonly forget: () => void;
  /** Sends a write, and tells the truth about how it ended. */
  readonly settle: <Answer>(name: string, again: Again, send: () => Promise<Answer>) => Promise<Answer>;
}

/** Codes after which a write that was sent twice is known to be done. */
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

/** They come from the door of the shop, before anything is looked at. */
const doorCodes: ReadonlySet<string> = new Set(['session_ended', 'session_required', 'sign_in_required', 'too_many_requests']);

/** A refusal that looked at the write goes through as it is; all else leaves the earlier try as it was: not known. */
function inDoubt(error: ApiProblem, { words }: Again): ApiProblem {
  if (goneCodes.has(error.code)) return new ApiProblem('done_before', error.status, 'This is done: an earlier try had been taken.');
  const says = ![isPassing(error), leavesOpen(error), doorCodes.has(error.code)].includes(true);
  return says ? error : new ApiProblem('outcome_unknown', error.status, words, error.retryAfterMs);
}
