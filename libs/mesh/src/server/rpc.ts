/**
 * The way from Nest's pipeline to a method of a controller: `@Rpc(CartService.method.addItem)`. The decorator puts the policy guard and the Problem
 * filter on the method itself, never on the app. A guard that is registered for the whole app fails open where someone forgets it. Without the guard
 * a call has no context, so even then the method does not run.
 */
import type { DescMessage, DescMethod, DescService, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import type { ArgumentsHost, CanActivate, ExceptionFilter, ExecutionContext, Type } from '@nestjs/common';
import { Catch, Controller, createParamDecorator, UseFilters, UseGuards } from '@nestjs/common';
import { INTERCEPTORS_METADATA } from '@nestjs/common/internal';
import { MetadataScanner, type ModulesContainer } from '@nestjs/core';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { isProblem, type Problem } from '@cloakroom/contracts';
import type { PersonContext, RequestContext } from '../context.ts';
import { nameOf } from '../contract.ts';
import type { ServerCall } from './server-call.ts';

/** Only handlers of this transport are served by it, and it serves no others. */
export const meshTransport = Symbol('mesh');

/** Marks the methods that `@Rpc` has given their guard. The transport serves no other. */
export const guarded = Symbol('guarded');

type Unary<I extends DescMessage, O extends DescMessage> = (
  ctx: RequestContext,
  request: MessageShape<I>,
) => Promise<MessageInitShape<O> | Problem>;
/** Yields messages until it returns. A yielded Problem ends the stream with it. It must stop when `ctx.signal` aborts. */
type ServerStream<I extends DescMessage, O extends DescMessage> = (
  ctx: RequestContext,
  request: MessageShape<I>,
) => AsyncIterable<MessageInitShape<O> | Problem>;

/** The method that serves an rpc of the contract. */
export type RpcMethod<M> = M extends { methodKind: 'unary'; input: infer I extends DescMessage; output: infer O extends DescMessage }
  ? Unary<I, O>
  : M extends { methodKind: 'server_streaming'; input: infer I extends DescMessage; output: infer O extends DescMessage }
    ? ServerStream<I, O>
    : never;

/**
 * A controller implements this: the compiler then names each rpc of the service that it lacks. A stream both ways carries the questions of a unary rpc,
 * and the mesh serves it with the handler of that one (question-stream.ts).
 */
export type Rpcs<S extends DescService> = {
  [K in keyof S['method'] as S['method'][K] extends { methodKind: 'bidi_streaming' } ? never : K]: RpcMethod<S['method'][K]>;
};

/** Serves one rpc of a contract. A method whose arguments or answer are not those of the rpc does not compile. */
export function Rpc<M extends DescMethod>(method: M) {
  return <F extends RpcMethod<M>>(target: object, key: string, descriptor: TypedPropertyDescriptor<F>): void => {
    CallContext()(target, key, 0);
    Payload()(target, key, 1);
    MessagePattern(nameOf(method), meshTransport, { method, [guarded]: true })(target, key, descriptor);
    UseGuards(policyGuard)(target, key, descriptor);
    UseFilters(problemFilter)(target, key, descriptor);
  };
}

/** For handlers of methods that need a guest or a user: the guard has enforced that there is one. */
export function person(ctx: RequestContext): PersonContext {
  if (ctx.identity === undefined) throw new Error('this method asks for no person: its policy is none or service');
  return ctx as PersonContext;
}

/** The transport hands the message and the call to Nest, in this order. */
const callOf = (host: ArgumentsHost): ServerCall => host.getArgByIndex<ServerCall>(1);

/** The context of an admitted call. It throws for a call that no guard admitted. */
const CallContext = createParamDecorator((_: unknown, host: ExecutionContext) => callOf(host).context());

/** Admits a call by the policy of its method, before the handler. Whatever goes wrong here refuses the call. */
const policyGuard: CanActivate = {
  async canActivate(host) {
    const refusal = await callOf(host).admit();
    // Nest would make an exception of its own from `false`. The filter below takes the Problem as it is.
    if (refusal !== undefined) throw refusal;
    return true;
  },
};

/** Makes the outcome of the call of everything that was thrown. No exception of Nest reaches the wire. */
@Catch()
class ProblemFilter implements ExceptionFilter {
  catch(thrown: unknown, host: ArgumentsHost): Problem {
    return isProblem(thrown) ? thrown : callOf(host).outcomeOf(thrown);
  }
}
const problemFilter = new ProblemFilter();

/** An interceptor makes an Observable of each answer. A part of request scope has its whole tree built anew for each call. */
export function refuseWhatCostsEveryCall(modules: ModulesContainer): void {
  for (const { name, controllers, providers, injectables } of modules.values()) {
    for (const part of [...providers.values(), ...injectables.values()])
      if ((part as { readonly subtype?: string }).subtype === 'interceptor') throw new Error(`${name}: no interceptor on the mesh`);
    for (const controller of controllers.values()) {
      if (!controller.isDependencyTreeStatic()) throw new Error(`${controller.name as string}: no request scope on the mesh`);
      const { prototype } = controller.metatype as Type<object>;
      const methods = new MetadataScanner()
        .getAllMethodNames(prototype)
        .map((key) => (prototype as Readonly<Record<string, object>>)[key]!);
      if ([controller.metatype as object, ...methods].some((where) => Reflect.hasMetadata(INTERCEPTORS_METADATA, where)))
        throw new Error(`${controller.name as string}: no interceptor on the mesh`);
    }
  }
}

/** A controller of plain functions: for tests, and for services that a test plays. */
export interface Implementation {
  readonly service: DescService;
  readonly controller: Type;
}

/** @param handlers by the local name of each method. One that is missing refuses the start */
export function implement<S extends DescService>(service: S, handlers: Rpcs<S>): Implementation {
  class PlainController {}
  const given = handlers as unknown as Readonly<Record<string, (ctx: RequestContext, request: object) => unknown>>;
  for (const method of service.methods) {
    const { localName } = method;
    if (!Object.hasOwn(given, localName) || method.methodKind === 'bidi_streaming') continue;
    const descriptor = { value: (ctx: RequestContext, request: object) => given[localName]!(ctx, request), configurable: true };
    Object.defineProperty(PlainController.prototype, localName, descriptor);
    Rpc(method)(PlainController.prototype, localName, descriptor as TypedPropertyDescriptor<never>);
  }
  Controller()(PlainController);
  return { service, controller: PlainController };
}
