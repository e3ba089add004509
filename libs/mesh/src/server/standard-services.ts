/**
 * Two services that every tool for gRPC knows, `grpc.health.v1.Health` and server reflection, for an engineer at a local shop. With them grpcurl lists
 * and calls what a service has, without a .proto.
 *
 * They are the named exceptions from the rule that an rpc states a policy: their contracts are others'. They tell the contract, which is public, and
 * whether the service is ready, as its admin port does. Nobody's data comes through them. With TLS only a certificate of the mesh gets this far.
 * Elsewhere they do not exist: probes of a cluster ask /readyz, and this file with its libraries is not even loaded.
 */
import { type DescFile, type DescService, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import type { Server as GrpcServer, UntypedServiceImplementation } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation } from 'grpc-health-check';
import { type Readiness, readinessAnswer } from '@cloakroom/platform';

export const standardServices = [
  'grpc.health.v1.Health',
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
];

/** A watcher hears of a change within this. A look costs a question to Redis or Kafka, so it is made only while somebody watches. */
const lookIntervalMs = 1_000;

export function offerStandardServices(server: GrpcServer, services: readonly DescService[], ready: () => Promise<Readiness>): void {
  new ReflectionService(packageOf(services), { services: services.map(({ typeName }) => typeName) }).addToServer(server);
  offerHealth(server, ['', ...services.map(({ typeName }) => typeName)], ready);
}

type Package = ConstructorParameters<typeof ReflectionService>[0];

/** @grpc/reflection reads nothing of a package but the bytes of its files, and those protobuf-es has. Options of ours, the policies, get lost. */
function packageOf(services: readonly DescService[]): Package {
  const files = new Set<DescFile>();
  const add = (file: DescFile): void => {
    if (files.has(file)) return;
    files.add(file);
    file.dependencies.forEach(add);
  };
  for (const { file } of services) add(file);
  const fileDescriptorProtos = [...files].map(({ proto }) => Buffer.from(toBinary(FileDescriptorProtoSchema, proto)));
  return { files: { format: 'Protocol Buffer 3 DescriptorProto', type: {}, fileDescriptorProtos } } as Package;
}

interface Watching {
  on(event: 'cancelled' | 'close', listener: () => void): unknown;
}

/** The library keeps what it was last told. Here it is told anew before each answer, and each second while somebody watches. */
function offerHealth(server: GrpcServer, names: readonly string[], ready: () => Promise<Readiness>): void {
  const health = new HealthImplementation();
  let told: string | undefined;
  const look = async (): Promise<void> => {
    const isReady = await ready().then(
      (parts) => readinessAnswer(parts).status === 200,
      () => false,
    );
    const status = isReady ? 'SERVING' : 'NOT_SERVING';
    if (status !== told) for (const name of names) health.setStatus(name, (told = status));
  };
  let watchers = 0;
  let timer: NodeJS.Timeout | undefined;
  const follow = (call: Watching): void => {
    watchers += 1;
    timer ??= setInterval(() => void look(), lookIntervalMs).unref();
    let left = false;
    const leave = (): void => {
      if (left) return;
      left = true;
      watchers -= 1;
      if (watchers > 0) return;
      clearInterval(timer);
      timer = undefined;
    };
    call.on('cancelled', leave);
    call.on('close', leave);
  };
  health.addToServer({
    addService: (definition, { check, list, watch }) => {
      const fresh =
        (answer: typeof check) =>
        (...call: unknown[]): void =>
          void look().then(() => (answer as (...given: unknown[]) => void)(...call));
      const watched = (call: Watching): void => {
        follow(call);
        fresh(watch)(call);
      };
      server.addService(definition, { check: fresh(check), list: fresh(list), watch: watched } as unknown as UntypedServiceImplementation);
    },
  });
}
