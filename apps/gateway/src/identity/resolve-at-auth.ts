/**
 * The question to auth who somebody is, and the only thing in this system that is ever asked twice: it changes nothing that matters (the idle
 * limit moves at most once a minute), and without its answer a person waits. Twice means:
 * - again, when the connection broke and enough time is left;
 * - hedged, where auth has several replicas: at another one as well, when the first has taken longer than 19 of 20 do. The first answer counts,
 *   the other question is given up a little later (Dean and Barroso, "The Tail at Scale", 2013).
 * Both are paid from one budget, a tenth of all questions: an auth that is slow because it is busy must not be asked twice as much. A hedge leaves
 * some of it: whoever was slow costs time, but whoever died costs an answer.
 *
 * A mesh that knows that nobody would answer (circuit breaker: `unavailable` with Retry-After) is not asked again.
 */
import { isProblem, type Problem, type ResolveResponse } from '@cloakroom/contracts';
import type { OutgoingCall, RetryBudget } from '@cloakroom/mesh';
import type { Resolve } from './identify-reference-token.ts';
import { repeatedQuestions } from '../metrics.ts';

/** A refused connection is worth one more try when at least this much time is left. */
const retryWorthMs = 200;
/** Until enough is known, and the bounds of what is learnt: below, the timer itself would be what is measured. */
const hedgeDelay = { untilKnownMs: 50, minMs: 5, maxMs: 200 } as const;
/** The delay follows the last this many answers. */
const sampleCount = 200;
const hedgePart = 0.95;
/** Repetitions that hedges leave, for as many connections that break at once. */
const keptForRetries = 3;
/** Above what the mesh takes for too short to tell (grpc-replicas.ts). */
const silentAfterMs = 300;

export interface AskingParts {
  readonly resolve: Resolve;
  readonly retries: RetryBudget;
  /** Only where there is another replica to ask. */
  readonly hedge: boolean;
  readonly nowMs: () => number;
}

type Answer = ResolveResponse | Problem;

export function resolveAtAuth({ resolve, retries, hedge, nowMs }: AskingParts): Resolve {
  const delays = slowest(sampleCount, hedgePart);
  const timed: Resolve = async (call, request) => {
    const startedMs = nowMs();
    const answer = await resolve(call, request);
    if (!isProblem(answer)) delays.add(nowMs() - startedMs);
    return answer;
  };
  return async (call, request) => {
    retries.deposit();
    const startedMs = nowMs();
    const again = (): OutgoingCall => ({ ...call, budgetMs: call.budgetMs - (nowMs() - startedMs) });
    const answer = hedge
      ? await hedged(call, again, (each) => timed(each, request), delays.current(), retries, nowMs)
      : await resolve(call, request);
    if (!lostOnTheWay(answer) || again().budgetMs < retryWorthMs) return answer;
    if (!paid(retries, 'retry')) return answer;
    return resolve(again(), request);
  };
}

/** Not the breaker's word, nor auth's own: those come with a time to wait. */
const lostOnTheWay = (answer: Answer): boolean =>
  isProblem(answer) && answer.problem === 'unavailable' && answer.retryAfterS === undefined && answer.detail === undefined;

function paid(retries: RetryBudget, kind: 'retry' | 'hedge'): boolean {
  const may = retries.withdraw(kind === 'hedge' ? keptForRetries : 0);
  repeatedQuestions.inc({ kind, outcome: may ? 'sent' : 'refused' });
  return may;
}

async function hedged(
  call: OutgoingCall,
  again: () => OutgoingCall,
  ask: (call: OutgoingCall) => Promise<Answer>,
  delayMs: number,
  retries: RetryBudget,
  nowMs: () => number,
): Promise<Answer> {
  const askedMs = nowMs();
  const first = cancellable(call);
  const asked = ask(first.call);
  const early = await Promise.race([asked, after(delayMs)]);
  if (early !== undefined || call.signal?.aborted === true || !paid(retries, 'hedge')) return asked.finally(first.done);
  const second = cancellable(again());
  const other = ask(second.call);
  const [answer, loser] = await firstAnswer(asked, first, other, second);
  if (loser === first) repeatedQuestions.inc({ kind: 'hedge', outcome: 'won' });
  // Not at once: a replica that is silent for so long is suspected by the mesh and gets no more for a while; one that only came second is not.
  setTimeout(() => loser.giveUp(), Math.max(0, silentAfterMs - (nowMs() - askedMs))).unref();
  for (const each of [first, second]) each.done();
  return answer;
}

interface Cancellable {
  readonly call: OutgoingCall;
  giveUp(): void;
  done(): void;
}

/** The first that is an answer; a failure only when both failed. */
async function firstAnswer(
  asked: Promise<Answer>,
  first: Cancellable,
  other: Promise<Answer>,
  second: Cancellable,
): Promise<readonly [Answer, Cancellable]> {
  const winner = await Promise.race([asked.then((answer) => ({ answer, won: first })), other.then((answer) => ({ answer, won: second }))]);
  const loser = winner.won === first ? second : first;
  if (!isProblem(winner.answer)) return [winner.answer, loser];
  return [await (winner.won === first ? other : asked), winner.won];
}

function cancellable(call: OutgoingCall): Cancellable {
  const controller = new AbortController();
  const follow = (): void => controller.abort(call.signal?.reason);
  if (call.signal?.aborted === true) follow();
  call.signal?.addEventListener('abort', follow, { once: true });
  return {
    call: { ...call, signal: controller.signal },
    giveUp: () => controller.abort(new DOMException('another replica was faster', 'TimeoutError')),
    done: () => call.signal?.removeEventListener('abort', follow),
  };
}

const after = (delayMs: number): Promise<undefined> => new Promise((resolve) => void setTimeout(() => resolve(undefined), delayMs).unref());

/** A quantile of the last answers' durations, within bounds; sorted anew now and then, not at each question. */
function slowest(count: number, part: number): { add(durationMs: number): void; current(): number } {
  const last: number[] = [];
  let next = 0;
  let current: number = hedgeDelay.untilKnownMs;
  return {
    add(durationMs) {
      last[next % count] = durationMs;
      next += 1;
      if (next % (count / 4) !== 0) return;
      const sorted = last.toSorted((a, b) => a - b);
      current = Math.min(Math.max(sorted[Math.floor(sorted.length * part)]!, hedgeDelay.minMs), hedgeDelay.maxMs);
    },
    current: () => current,
  };
}
