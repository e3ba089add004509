/** Builds grpc-js' service definition from a protobuf-es descriptor: no second generator, no .proto at run time. */
import { create, type DescMessage, type DescService, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import type { ServiceDefinition } from '@grpc/grpc-js';
import { nameOf } from './policy.ts';

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
