/**
 * The only write of a cart: one record, acknowledged by all replicas, answered with its position. The subtlety is in what a failure means: a
 * lost answer leaves the outcome unknown, which is said as such. Repeating with the same command id is safe, since the id is the dot.
 */
import { isProblem, problem, type Problem } from '@cloakroom/contracts';
import { EventLogError, traceHeaders, traceOfCause, type Position } from '@cloakroom/event-log';
import { type RequestContext } from '@cloakroom/mesh';
import type { CartEvent } from '../model/cart.ts';
import { encodeEvent } from '../model/codec.ts';
import { formatToken } from '../reads/consistency.ts';
import { commandsAppended } from '../metrics.ts';
import type { CartParts } from '../cart.dependencies.ts';

/** Seconds. A broker that comes back does so within a few; clients repeat with the same command id. */
const retryAfterS = 1;
/** Left for the answer's way back, so that it says "unknown" before the caller's own deadline says nothing. */
const answerMarginMs = 50;

/** @returns the consistency token */
export async function append(
  { eventLog, topics, region, log }: Pick<CartParts, 'eventLog' | 'topics' | 'region' | 'log'>,
  ctx: Pick<RequestContext, 'deadline' | 'trace' | 'experiment'>,
  event: CartEvent,
): Promise<string | Problem> {
  const { value, headers } = encodeEvent(event);
  const sent = eventLog.publish(topics.events, [
    {
      key: event.cartId,
      value,
      headers: {
        ...headers,
        ...traceHeaders(traceOfCause(ctx)),
      },
    },
  ]);
  const position = await withinDeadline(sent.then(onlyPosition, outcomeOf), ctx);
  if (isProblem(position)) {
    log.warn({ problem: position.problem, type: event.type, trace_id: ctx.trace.traceId }, 'a command was not acknowledged');
    return position;
  }
  commandsAppended.inc({ type: event.type });
  return formatToken({ region, partition: position.partition, offset: position.offset });
}

function onlyPosition(positions: readonly Position[]): Position {
  const [position] = positions;
  if (position === undefined) throw new Error('the log acknowledged no position');
  return position;
}

function outcomeOf(error: unknown): Problem {
  if (!(error instanceof EventLogError)) throw error;
  if (error.outcomeUnknown) return problem('outcome_unknown', undefined, retryAfterS);
  // A record that can never be written is our defect: the limits are there to make it impossible.
  if (error.kind === 'fatal') throw error;
  return problem('unavailable', undefined, retryAfterS);
}

async function withinDeadline<T>(work: Promise<T>, { deadline }: Pick<RequestContext, 'deadline'>): Promise<T | Problem> {
  const budgetMs = deadline.remainingMs() - answerMarginMs;
  if (!Number.isFinite(budgetMs)) return work;
  const late = Promise.withResolvers<Problem>();
  // A plain timer: to end a promised one an error is made, for each command.
  const timer = setTimeout(() => late.resolve(problem('outcome_unknown', undefined, retryAfterS)), Math.max(0, budgetMs));
  // Once lost, the race's loser must not become an unhandled rejection.
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
