/** A service whose rpc forgot its policy, as a descriptor. */
import { create, createFileRegistry } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

const registry = createFileRegistry(
  create(FileDescriptorSetSchema, {
    file: [
      {
        name: 'planted.proto',
        package: 'planted',
        syntax: 'proto3',
        messageType: [{ name: 'Empty' }],
        service: [{ name: 'Planted', method: [{ name: 'Ping', inputType: '.planted.Empty', outputType: '.planted.Empty' }] }],
      },
    ],
  }),
);
export const forgetful = registry.getService('planted.Planted')!;
