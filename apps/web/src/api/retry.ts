/**
 * Decides when the page repeats a request. A command carries its id, so a repeated one counts once. A read changes nothing.
 * Only the person repeats anything else.
 */
import { ApiProblem } from './request.ts';

/** With the delays below this takes some 8 s. After that a person presses the button again anyway. */
export const attemptsMax = 5;
const firstDelayMs = 300;
const delayMsMax = 4_000;

const passingCodes: ReadonlySet<ApiProblem['code']> = new Set([
  'network',
  'outcome_unknown',
  'unavailable',
  'identity_unavailable',
  'deadline_exceeded',
]);

/** Whether the same request may succeed a moment later. */
export function isPassing(error: unknown): error is ApiProblem {
  return error instanceof ApiProblem && passingCodes.has(error.code);
}

/**
 * @param attempt how many attempts were made, from 1
 * @param random in [0, 1): spreads the clients that failed together
 * @returns milliseconds to wait before the next attempt; undefined to give up
 */
export function retryDelayMs(error: unknown, attempt: number, random: number): number | undefined {
  if (!isPassing(error) || attempt >= attemptsMax) return undefined;
  const grown = Math.min(firstDelayMs * 2 ** (attempt - 1), delayMsMax);
  return Math.max(grown * (0.5 + random / 2), Math.min(error.retryAfterMs, delayMsMax));
}

export interface RetryParts {
  readonly sleep: (ms: number) => Promise<void>;
  readonly random: () => number;
}

export async function withRetry<Answer>(send: () => Promise<Answer>, parts: RetryParts): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send();
    } catch (error) {
      const delayMs = retryDelayMs(error, attempt, parts.random());
      if (delayMs === undefined) throw error;
      await parts.sleep(delayMs);
    }
  }
}
