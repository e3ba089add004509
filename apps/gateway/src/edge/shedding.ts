/** Load shedding at the edge: before anything is read or asked for. What goes first and why: libs/mesh/src/server/load-shedding.ts. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { problem, type Problem } from '@cloakroom/contracts';
import type { LoadShedder, SheddingClass, ShedReason } from '@cloakroom/mesh';
import { shed } from '../metrics.ts';
import type { OperationClass } from '../route.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    operationClass?: OperationClass;
    /** Stays open: counted by its own bound (STREAM_COUNT_MAX). */
    live?: boolean;
  }
}

/** Those who are refused together must not come back together. */
const retryAfterS = [1, 2, 3] as const;
let refusals = 0;

/**
 * Before the body is read. Nothing is counted yet: a crowd that sends its bodies drop by drop would hold everybody's places.
 * @returns what to answer instead
 */
export function shedAtTheDoor(request: FastifyRequest, reply: FastifyReply, shedder: LoadShedder): Problem | undefined {
  const { operationClass = 'public' } = request.routeOptions.config;
  if (operationClass === 'operations') return undefined;
  return refused(reply, operationClass, shedder.refuses(operationClass));
}

/** When the body is there. @returns what to answer instead; otherwise the request is counted until its answer is over */
export function shedOrCount(request: FastifyRequest, reply: FastifyReply, shedder: LoadShedder): Problem | undefined {
  const { operationClass = 'public', live = false } = request.routeOptions.config;
  // Whoever has gone meanwhile would never leave.
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
