/** Load shedding at the edge: before anything is read or asked for. What goes first and why: libs/platform/src/load-shedding.ts. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { problem, type Problem } from '@cloakroom/contracts';
import type { LoadShedder } from '@cloakroom/platform';
import { shed } from './metrics.ts';
import type { OperationClass } from './route.ts';

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

/** @returns what to answer instead; otherwise the request is counted until its answer is over */
export function shedOrCount(request: FastifyRequest, reply: FastifyReply, shedder: LoadShedder): Problem | undefined {
  const { operationClass = 'public', live = false } = request.routeOptions.config;
  if (operationClass === 'operations') return undefined;
  const place = live ? shedder.refuses(operationClass) : shedder.enter(operationClass);
  if (place === undefined) return undefined;
  if (typeof place === 'function') {
    reply.raw.once('close', place);
    return undefined;
  }
  shed.inc({ operation: operationClass, reason: place });
  reply.header('server-timing', `shed;desc="${operationClass} ${place}"`);
  return problem('unavailable', undefined, retryAfterS[refusals++ % retryAfterS.length]);
}
