/**
 * The gateway asks auth who the caller is, and may repeat this call. It repeats no other call in this system. This one changes nothing that
 * matters (the idle limit moves at most once a minute), and without its answer a person waits.
 *
 * The gateway repeats it once, if the connection broke and enough time is left. While the retry budget lasts, a killed replica of auth costs
 * no request its answer. The budget is a tenth of all questions, at most ten at once, so that an auth that breaks under its load is not asked
 * twice as much. Silence, an open breaker and auth's own refusal are not repeated (docs/decisions/0020-no-hedging.md says why).
 */
import { isProblem } from '@cloakroom/contracts';
import type { RetryBudget } from '@cloakroom/mesh';
import type { Resolve } from './identify-reference-token.ts';
import { repeatedQuestions } from '../metrics.ts';

/** A second try is worth it when at least this much time is left: auth has answered 99 of 100 by then. */
const retryWorthMs = 200;

export interface AskingParts {
  readonly resolve: Resolve;
  readonly retries: RetryBudget;
  /** Monotonic. */
  readonly nowMs: () => number;
}

export function resolveAtAuth({ resolve, retries, nowMs }: AskingParts): Resolve {
  return async (call, request) => {
    retries.deposit();
    const startedMs = nowMs();
    const answer = await resolve(call, request);
    if (!isProblem(answer) || answer.problem !== 'connection_lost') return answer;
    const leftMs = call.budgetMs - (nowMs() - startedMs);
    if (leftMs < retryWorthMs) return answer;
    const allowed = retries.withdraw();
    repeatedQuestions.inc({ outcome: allowed ? 'sent' : 'refused' });
    return allowed ? resolve({ ...call, budgetMs: leftMs }, request) : answer;
  };
}
