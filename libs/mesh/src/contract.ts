/**
 * The contract as the mesh reads it: names and policies of methods, and grpc-js' service definition. It is made from the protobuf-es descriptor: no
 * second generator, no .proto at run time. A policy has no default: a process does not start when a method of its service lacks one.
 */
import {
  create,
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  getOption,
  hasOption,
  type MessageInitShape,
  toBinary,
} from '@bufbuild/protobuf';
import type { ServiceDefinition } from '@grpc/grpc-js';
import { AnswersSchema, Identity, type MethodPolicy, OperationClass, policy, QuestionsSchema } from '@cloakroom/contracts';

/** @throws Error when the method states none, or one that leaves something open */
export function policyOf(method: DescMethod): MethodPolicy {
  if (!hasOption(method, policy)) throw new Error(`${nameOf(method)} has no policy option`);
  const stated = getOption(method, policy);
  const fault = faultOf(method, stated);
  if (fault !== undefined) throw new Error(`${nameOf(method)}: ${fault}`);
  return stated;
}

/** Every method's policy; @throws Error naming the first method that has none */
export function policiesOf(service: DescService): ReadonlyMap<DescMethod, MethodPolicy> {
  return new Map(service.methods.map((method) => [method, policyOf(method)]));
}

function faultOf(method: DescMethod, stated: MethodPolicy): string | undefined {
  if (stated.identity === Identity.UNSPECIFIED || !(stated.identity in Identity)) return 'its policy states no identity';
  if (stated.operationClass === OperationClass.UNSPECIFIED || !(stated.operationClass in OperationClass))
    return 'its policy states no class';
  if (stated.budgetMs === 0 && method.methodKind === 'unary') return 'only a stream may stay open without a budget';
  if (method.methodKind === 'client_streaming') return 'only unary methods and streams of answers are served';
  if (method.methodKind === 'bidi_streaming' || stated.carries !== '') return faultOfCarrying(method, stated);
  const person = stated.identity === Identity.GUEST || stated.identity === Identity.USER;
  if (stated.authenticationAgeMaxS > 0 && stated.identity !== Identity.USER) return 'only a signed-in person can step up';
  if (stated.delegates.length > 0 && !person) return 'what is for no person cannot be done for one';
  if (stated.operationClass === OperationClass.SENSITIVE && !person) return 'a sensitive method needs a person';
  return undefined;
}

/** A stream both ways has no handler of its own: it carries the questions of a unary method (server/question-stream.ts). */
function faultOfCarrying(method: DescMethod, { carries, budgetMs, identity }: MethodPolicy): string | undefined {
  const carried = method.parent.methods.find(({ name }) => name === carries);
  const messages = method.input.typeName === QuestionsSchema.typeName && method.output.typeName === AnswersSchema.typeName;
  const fits = method.methodKind === 'bidi_streaming' && messages && budgetMs === 0 && carried?.methodKind === 'unary';
  if (!fits) return 'a stream both ways, and only such a one, carries Questions and Answers of a unary method, without a budget';
  // A question has no place for a passport.
  const forServices = identity === Identity.SERVICE && getOption(carried, policy).identity === Identity.SERVICE;
  return forServices ? undefined : 'a stream carries only what services ask for no person';
}

/** The stream that carries the questions of a unary method, if its service has one. */
export const carrierOf = (method: DescMethod): DescMethod | undefined =>
  method.parent.methods.find((other) => other.methodKind === 'bidi_streaming' && policyOf(other).carries === method.name);

/** "cloakroom.cart.v1.CartService/AddItem", as traces, logs and metrics name it. */
export const nameOf = (method: DescMethod): string => `${method.parent.typeName}/${method.name}`;

/** The service that implements it, as certificates, audiences and addresses name it: "cart" of cloakroom.cart.v1.CartService. */
export function serviceNameOf(service: DescService): string {
  const name = service.typeName.split('.').at(-3);
  if (name === undefined) throw new Error(`${service.typeName} is not in a package <product>.<service>.<version>`);
  return name;
}

/** The caller encodes messages to bytes with `encode`, so a message that does not fit its schema fails where it can be logged. */
export function definitionOf(service: DescService): ServiceDefinition {
  const entries = service.methods.map((method) => [
    method.localName,
    {
      path: `/${nameOf(method)}`,
      requestStream: method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming',
      responseStream: method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming',
      requestSerialize: asIs,
      responseSerialize: asIs,
      requestDeserialize: decoder(method.input),
      responseDeserialize: decoder(method.output),
    },
  ]);
  return Object.fromEntries(entries) as ServiceDefinition;
}

export const asIs = (bytes: Buffer): Buffer => bytes;

export const decoder =
  (schema: DescMessage) =>
  (bytes: Buffer): object =>
    fromBinary(schema, bytes);

export function encode(schema: DescMessage, message: object): Buffer {
  const bytes = toBinary(schema, create(schema, message as MessageInitShape<DescMessage>));
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
