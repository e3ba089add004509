/** Load shedding at the edge, before anything is read or asked for. libs/mesh/src/server/load-shedding.ts says what goes first, and why. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { problem, type Problem } from '@cloakroom/contracts';
import type { LoadShedder, SheddingClass, ShedReason } from '@cloakroom/mesh';
import { shed } from '../metrics.ts';

/** Clients that are refused together must not come back together. */
const retryAfterS = [1, 2, 3] as const;
let refusals = 0;

/**
 * Judges a request before its body is read, and counts nothing yet. Slow uploads would otherwise hold everybody's slots.
 * @returns what to answer instead
 */
export function shedAtTheDoor(request: FastifyRequest, reply: FastifyReply, shedder: LoadShedder): Problem | undefined {
  const { operationClass = 'public' } = request.exchange?.policy ?? {};
  if (operationClass === 'operations') return undefined;
  return refused(reply, operationClass, shedder.refuses(operationClass));
}

/**
 * Judges and counts a request once its body has arrived.
 * @returns what to answer instead; otherwise the request is counted until its answer is over
 */
export function shedOrCount(request: FastifyRequest, reply: FastifyReply, shedder: LoadShedder): Problem | undefined {
  const { operationClass = 'public', live = false } = request.exchange?.policy ?? {};
  // A live stream stays open, so it is counted by its own bound (STREAM_COUNT_MAX).
  // A response that has closed meanwhile emits no second `close`, so its slot would never be freed.
  if (operationClass === 'operations' || live || reply.raw.closed) return undefined;
  const place = shedder.enter(operationClass);
  if (typeof place !== 'function') return refused(reply, operationClass, place);
  reply.raw.once('close', place);
  return undefined;
}

function refused(reply: FastifyReply, operation: SheddingClass, reason: ShedReason | undefined): Problem | undefined {
  if (reason === undefined) return undefined;
  shed.inc({ operation, reason });
  reply.header('server-timing', `shed;desc="${operation} ${reason}"`);
  return problem('unavailable', undefined, retryAfterS[refusals++ % retryAfterS.length]);
}
