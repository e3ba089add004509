/**
 * The server half of the mesh, as a transport of Nest: the rpcs of a process on one port, each behind the policy of its contract. Nest's own gRPC
 * transport has no place for deadlines, trailers, load shedding and the parent of a call (docs/decisions/0022-a-transport-of-our-own.md).
 *
 * A call runs in this order: deadline and trace, load shedding, the policy guard, the method, the answer or its Problem. Only the rpcs of the given
 * services exist; an unknown path is UNIMPLEMENTED.
 */
import type { DescMethod, DescService } from '@bufbuild/protobuf';
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  Server as GrpcServer,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { OnModuleInit, Type } from '@nestjs/common';
import { INTERCEPTORS_METADATA } from '@nestjs/common/internal';
import { MetadataScanner, type ModulesContainer } from '@nestjs/core';
import { type CustomTransportStrategy, type MessageHandler, Server } from '@nestjs/microservices';
import { isObservable } from 'rxjs';
import { isProblem, problem } from '@cloakroom/contracts';
import type { Clock, Logger } from '@cloakroom/platform';
import { definitionOf, encode, nameOf, policiesOf, policyOf } from '../contract.ts';
import { isOurs, meshSecret } from '../metadata.ts';
import { serverCredentials } from '../tls/mesh-credentials.ts';
import { openPeers, type Peers } from '../tls/mesh-peers.ts';
import { peerCertificateOf } from '../tls/peer-certificate.ts';
import type { MeshTls } from '../tls/tls.ts';
import { doorOf, inFlightMaxDefault, type LoadShedder, loopLagMaxMsDefault, openLoadShedder } from './load-shedding.ts';
import { guarded, meshTransport } from './rpc.ts';
import { type Admission, beginCall, type Ending, type ServerCall, type SurfaceCall } from './server-call.ts';
import { openStreams, type OpenStreams, pump } from './server-stream.ts';

export interface MeshTransportOptions {
  /** "cart": the name in logs and in Server-Timing. */
  readonly name: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Loopback by default: the mesh is not for the network. */
  readonly host?: string;
  /** undefined: plaintext, only where everything is one process (embedded). */
  readonly tls: MeshTls | undefined;
  /** Each of their rpcs must have a method. */
  readonly services: readonly DescService[];
  readonly admission: Admission;
  readonly clock: Clock;
  readonly log: Logger;
  /** The bounds above which the server refuses calls; by default those of load-shedding.ts. */
  readonly shedder?: LoadShedder | undefined;
}

/** Within the 8 s that a process has to stop. */
const stopGraceMs = 4_000;

/** Nest calls `addHandler` for each `@Rpc`, then `onModuleInit`, then `listen`. So it refuses a start before any part has started. */
export class MeshTransport extends Server implements CustomTransportStrategy, OnModuleInit {
  override readonly transportId = meshTransport;
  private readonly options: MeshTransportOptions;
  private readonly modules: ModulesContainer;
  private readonly handlers = new Map<DescMethod, MessageHandler>();
  private readonly shedder: LoadShedder;
  private readonly streams: OpenStreams;
  private readonly peers: Peers | undefined;
  private readonly server = new GrpcServer({
    // A request is a form. 1 MiB is far above any form and far below harmful sizes.
    'grpc.max_receive_message_length': 1024 * 1024,
    // The server frees the streams of a vanished client within 15 s.
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 5_000,
    'grpc.max_concurrent_streams': 1_000,
  });
  private bound = 0;
  private stopping: Promise<void> | undefined;

  constructor(options: MeshTransportOptions, modules: ModulesContainer) {
    super();
    this.options = options;
    this.modules = modules;
    this.shedder = options.shedder ?? openLoadShedder({ inFlightMax: inFlightMaxDefault, loopLagMaxMs: loopLagMaxMsDefault });
    this.streams = openStreams(options.admission);
    this.peers = options.tls && openPeers(options.tls, options.clock);
  }

  get port(): number {
    return this.bound;
  }

  /** @throws for a second handler of an rpc, because Nest would silently keep the last one; and for one without the guard of `@Rpc` */
  override addHandler(
    _pattern: unknown,
    callback: MessageHandler,
    _isEvent?: boolean,
    extras: { readonly method?: DescMethod; readonly [guarded]?: true } = {},
  ): void {
    const { method } = extras;
    if (extras[guarded] !== true) throw new Error(`${String(_pattern)} has no guard: serve it with @Rpc`);
    if (method === undefined || !this.options.services.includes(method.parent))
      throw new Error(`${String(_pattern)} is of no service that ${this.options.name} serves`);
    if (this.handlers.has(method)) throw new Error(`${nameOf(method)} has two handlers`);
    this.handlers.set(method, callback);
  }

  onModuleInit(): void {
    for (const service of this.options.services) {
      const implementation = [...policiesOf(service).keys()].map((method) => {
        const handler = this.handlers.get(method);
        if (handler === undefined) throw new Error(`${nameOf(method)} has no handler`);
        return [method.localName, this.serve(method, handler)];
      });
      this.server.addService(definitionOf(service), Object.fromEntries(implementation) as UntypedServiceImplementation);
    }
    refuseWhatCostsEveryCall(this.modules);
  }

  listen(callback: (error?: Error | null) => void): void {
    const { name, host = '127.0.0.1', port, tls, log } = this.options;
    if (tls === undefined) log.warn({ service: name }, `the mesh runs without TLS: ${whoMayCall()}`);
    this.server.bindAsync(`${host}:${port}`, serverCredentials(tls), (error, bound) => {
      this.bound = bound;
      callback(error);
    });
  }

  /** Ends open streams, lets calls finish for at most `stopGraceMs`, then cuts. */
  close(): Promise<void> {
    this.stopping ??= stop(this.server, this.streams).finally(() => this.peers?.stop());
    return this.stopping;
  }

  on(): void {
    throw new Error('the mesh has no events to listen for');
  }

  unwrap<Unwrapped>(): Unwrapped {
    return this.server as Unwrapped;
  }

  private serve(method: DescMethod, handler: MessageHandler): handleUnaryCall<object, object> | handleServerStreamingCall<object, object> {
    const enter = doorOf(this.options.name, policyOf(method), this.shedder);
    const run = async (begun: ServerCall, respond: () => Promise<void>): Promise<void> => {
      const leave = enter();
      if (isProblem(leave)) return void begun.end(leave);
      try {
        await respond();
      } catch (error) {
        begun.end(begun.outcomeOf(error));
      } finally {
        leave();
      }
    };
    const begin = this.beginner(method);
    if (method.methodKind === 'unary') return unary(method, handler, begin, run);
    if (method.methodKind === 'server_streaming') return streaming(method, handler, begin, run, this.streams);
    throw new Error(`${nameOf(method)}: only unary and server-streaming methods are served`);
  }

  private beginner(method: DescMethod): Begin {
    const { name: service, clock, log, admission, tls } = this.options;
    const judged = { policy: policyOf(method), name: nameOf(method) };
    return (call, finish) =>
      beginCall({
        call,
        method: judged.name,
        service,
        policy: judged.policy,
        clock,
        log,
        finish,
        judge: async (sent, traceId) => {
          const caller = this.peers?.callerOf(peerCertificateOf(call));
          const ours = tls !== undefined || isOurs(call.metadata);
          const proven = { name: caller, proven: tls !== undefined, audience: service };
          const admitted = ours ? await admission.admit(judged, proven, sent) : problem('forbidden');
          if (!isProblem(admitted)) return { identity: admitted.identity, caller };
          if (admitted.problem === 'forbidden')
            log.warn({ method: judged.name, caller, trace_id: traceId }, 'a service called what it may not');
          return admitted;
        },
      });
  }
}

type Finish = (error: Ending | undefined, trailer: Ending['trailer']) => void;
type Begin = (call: SurfaceCall, finish: Finish) => ServerCall;
type Run = (begun: ServerCall, respond: () => Promise<void>) => Promise<void>;

function unary(method: DescMethod, handler: MessageHandler, begin: Begin, run: Run): handleUnaryCall<object, object> {
  return (call, callback) => {
    let answer: Buffer | undefined;
    const begun = begin(call, (error, trailer) =>
      error === undefined ? callback(null, answer, trailer) : callback({ code: error.code, details: error.details, metadata: trailer }),
    );
    void run(begun, () =>
      begun.run(async () => {
        const result = plain(await handler(call.request, begun));
        if (isProblem(result)) begun.end(result);
        else {
          answer = encode(method.output, result);
          begun.end('ok');
        }
      }),
    );
  };
}

function streaming(
  method: DescMethod,
  handler: MessageHandler,
  begin: Begin,
  run: Run,
  streams: OpenStreams,
): handleServerStreamingCall<object, object> {
  return (call) => {
    const begun = begin(call, (error, trailer) =>
      // grpc-js takes a stream's status from its "error".
      error === undefined ? call.end(trailer) : void call.emit('error', { code: error.code, details: error.details, metadata: trailer }),
    );
    void run(begun, async () => {
      const messages = plain(await handler(call.request, begun));
      if (isProblem(messages)) return void begun.end(messages);
      await begun.run(() =>
        pump({ begun, call, streams, messages: messages as AsyncIterable<object>, encode: (message) => encode(method.output, message) }),
      );
    });
  };
}

/** The filter of each rpc catches everything. So Nest has an Observable only where something came between, and that is no answer. */
function plain(result: unknown): object {
  if (isObservable(result)) throw new Error('something made an Observable of an answer');
  return result as object;
}

/** An interceptor makes an Observable of each answer. A part of request scope has its whole tree built anew for each call. */
function refuseWhatCostsEveryCall(modules: ModulesContainer): void {
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

const whoMayCall = (): string =>
  meshSecret() === undefined
    ? 'without a secret too, so whoever reaches this port may call any method'
    : 'only this process and those who know its secret may call, and services are not told apart';

async function stop(server: GrpcServer, streams: OpenStreams): Promise<void> {
  streams.endAll(problem('unavailable'));
  await new Promise<void>((resolve) => {
    const cut = setTimeout(() => server.forceShutdown(), stopGraceMs);
    server.tryShutdown(() => {
      clearTimeout(cut);
      resolve();
    });
  });
}
