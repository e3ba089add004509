/**
 * The one decorator that every route carries, and the parameters beside Nest's own. The guard and the pipe come with the policy, because one
 * that is registered for the whole application lets everybody in as soon as somebody forgets it.
 */
import { applyDecorators, type ArgumentMetadata, createParamDecorator, type ExecutionContext, type PipeTransform } from '@nestjs/common';
import { StandardSchemaValidationPipe, UseGuards } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/internal';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import type { Exchange, Outcome } from '../http-exchange.ts';
import type { RoutePolicy } from '../route.ts';
import { PolicyGuard } from './policy.guard.ts';
import { invalid } from './problem-answer.ts';

type Method = (...input: never[]) => Outcome | Promise<Outcome>;

/** States the policy of a controller's method, and enforces it. A method without one refuses the start (route-list.ts). */
export function Policy(policy: RoutePolicy) {
  const apply = applyDecorators(RouteConfig({ policy }), UseGuards(PolicyGuard));
  // Typed, so that the compiler knows a method that returns anything but an outcome.
  return <F extends Method>(target: object, name: string | symbol, method: TypedPropertyDescriptor<F>): void => {
    apply(target, name, method);
    pipeInputs(target.constructor, name);
  };
}

/**
 * Gives the pipe to each parameter that has a schema. A pipe of the whole method would run over the exchange too, which costs every request
 * several turns of the microtask queue.
 */
function pipeInputs(controller: object, name: string | symbol): void {
  const parameters = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) ?? {}) as Record<string, Parameter>;
  for (const parameter of Object.values(parameters)) if (parameter.schema !== undefined) parameter.pipes = [inputPipe];
}

interface Parameter {
  readonly schema?: unknown;
  pipes: PipeTransform[];
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

type Place = 'path' | 'query' | 'header' | 'body';

/** Nest's pipe for schemas. The problem that it throws names the place of each field. */
class PlacePipe extends StandardSchemaValidationPipe {
  constructor(place: Place) {
    super({ validateCustomDecorators: true, exceptionFactory: (issues) => invalid(place, issues) });
  }

  /** Nest would take `__proto__` and its like out of the input. A schema names the fields that it takes, and copies no other. */
  protected override stripProtoKeys(): void {}
}

const pipes: Readonly<Record<ArgumentMetadata['type'], PipeTransform | undefined>> = {
  param: new PlacePipe('path'),
  query: new PlacePipe('query'),
  custom: new PlacePipe('header'),
  body: new PlacePipe('body'),
} as Readonly<Record<ArgumentMetadata['type'], PipeTransform | undefined>>;

const inputPipe: PipeTransform = {
  transform(value, metadata) {
    const pipe = pipes[metadata.type];
    if (pipe === undefined) throw new Error(`an input of kind ${metadata.type} has no pipe`);
    // A request without a body lacks each field of it.
    return pipe.transform(metadata.type === 'body' ? (value ?? {}) : value, metadata);
  },
};
