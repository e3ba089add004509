/**
 * The only write of a cart: it appends one record, all replicas acknowledge it, and the log answers with its position. The subtlety is in
 * failures. When the answer is lost, the record may have been written, so the client is told `outcome_unknown`. Repeating the command with
 * the same id is safe, because the id is the dot.
 */
import { formatPositions, isProblem, observed, problem, type Problem } from '@cloakroom/contracts';
import { EventLogError, traceHeaders, traceOfCause, type Position } from '@cloakroom/event-log';
import { type RequestContext } from '@cloakroom/mesh';
import { observeRunning, observing } from '@cloakroom/platform';
import type { CartEvent } from '../model/cart.ts';
import { encodeEvent } from '../model/codec.ts';
import { tokenFor } from '../reads/consistency.ts';
import { commandsAppended } from '../metrics.ts';
import type { CartParts } from '../cart.dependencies.ts';

/** Seconds. A broker that restarts is back within a few; clients repeat with the same command id. */
const retryAfterS = 1;
/** Time kept for the way back: the answer "unknown" must reach the caller before the caller's own deadline passes. */
const answerMarginMs = 50;

/** @returns the consistency token. What the caller has seen of other regions stays in it. */
export async function append(
  parts: Pick<CartParts, 'eventLog' | 'topics' | 'region' | 'log'>,
  ctx: Pick<RequestContext, 'deadline' | 'trace' | 'experiment' | 'consistency'>,
  event: CartEvent,
): Promise<string | Problem> {
  const { eventLog, topics, region, log } = parts;
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
  if (observing()) observeRunning(() => ({ [observed.cartWritten]: position.offset.toString() }));
  const { partition, offset } = position;
  return formatPositions([{ region, partition, offset }, ...(tokenFor(ctx.consistency, parts, partition)?.others ?? [])]);
}

function onlyPosition(positions: readonly Position[]): Position {
  const [position] = positions;
  if (position === undefined) throw new Error('the log acknowledged no position');
  return position;
}

function outcomeOf(error: unknown): Problem {
  if (!(error instanceof EventLogError)) throw error;
  if (error.outcomeUnknown) return problem('outcome_unknown', undefined, retryAfterS);
  // A record that can never be written is a defect of this service: the limits should make it impossible.
  if (error.kind === 'fatal') throw error;
  return problem('unavailable', undefined, retryAfterS);
}

async function withinDeadline<T>(work: Promise<T>, { deadline }: Pick<RequestContext, 'deadline'>): Promise<T | Problem> {
  const budgetMs = deadline.remainingMs() - answerMarginMs;
  if (!Number.isFinite(budgetMs)) return work;
  const late = Promise.withResolvers<Problem>();
  // A plain timer. Ending a promised timer makes an error object, and that would happen for each command.
  const timer = setTimeout(() => late.resolve(problem('outcome_unknown', undefined, retryAfterS)), Math.max(0, budgetMs));
  // When the timer wins the race, a later failure of the work must not become an unhandled rejection.
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
