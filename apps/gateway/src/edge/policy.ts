/**
 * The one decorator that every route carries, and the parameters beside Nest's own. The guard and the pipe come with the policy, because one
 * that is registered for the whole application lets everybody in as soon as somebody forgets it.
 */
import {
  applyDecorators,
  createParamDecorator,
  type ExecutionContext,
  type PipeTransform,
  StandardSchemaValidationPipe,
  UseGuards,
  UsePipes,
} from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import type { Exchange, Outcome } from '../http-exchange.ts';
import type { RoutePolicy } from '../route.ts';
import { PolicyGuard } from './policy.guard.ts';
import { invalid } from './problem-answer.ts';

type Method = (...input: never[]) => Outcome | Promise<Outcome>;

/** States the policy of a controller's method, and enforces it. A method without one refuses the start (route-list.ts). */
export function Policy(policy: RoutePolicy) {
  const apply = applyDecorators(RouteConfig({ policy }), UseGuards(PolicyGuard), UsePipes(inputPipe));
  // Typed, so that the compiler knows a method that returns anything but an outcome.
  return <F extends Method>(target: object, name: string | symbol, method: TypedPropertyDescriptor<F>): void => apply(target, name, method);
}

/** The request as a use case sees it. */
export const CurrentExchange = createParamDecorator((_none: undefined, context: ExecutionContext): Exchange => {
  const { exchange } = context.switchToHttp().getRequest<FastifyRequest>();
  if (exchange === undefined) throw new Error('the request has no exchange');
  return exchange;
});

/** Headers by a schema. Nest's own decorator for headers passes no pipe. */
export const InputHeaders = createParamDecorator(
  (_none: undefined, context: ExecutionContext) => context.switchToHttp().getRequest<FastifyRequest>().headers,
);

/** The first word of each field that is named as wrong. */
const places = { param: 'path', query: 'query', custom: 'header', body: 'body' } as const;

const pipes = Object.fromEntries(
  Object.entries(places).map(([type, place]) => [
    type,
    new StandardSchemaValidationPipe({
      validateCustomDecorators: true,
      exceptionFactory: (issues: Parameters<typeof invalid>[1]) => invalid(place, issues),
    }),
  ]),
);

/** Nest's pipe for schemas, one for each place, because the problem that it throws names the place. */
const inputPipe: PipeTransform = {
  transform(value, metadata) {
    if (metadata.schema === undefined) return value;
    // A request without a body lacks each field of it.
    return pipes[metadata.type]!.transform(metadata.type === 'body' ? (value ?? {}) : value, metadata);
  },
};
