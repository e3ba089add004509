/**
 * The server half of the mesh, as a transport of Nest: the rpcs of a process on one port, each behind the policy of its contract. Nest's own gRPC
 * transport has no place for deadlines, trailers, load shedding and the parent of a call (docs/decisions/0022-a-transport-of-our-own.md).
 *
 * A call runs in this order: deadline and trace, load shedding, the policy guard, the method, the answer or its Problem. Only the rpcs of the given
 * services exist; an unknown path is UNIMPLEMENTED.
 */
import { type DescMethod, type DescService, fromBinary } from '@bufbuild/protobuf';
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  Server as GrpcServer,
  type UntypedHandleCall,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { OnModuleInit } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { type CustomTransportStrategy, type MessageHandler, Server } from '@nestjs/microservices';
import { isObservable } from 'rxjs';
import { developer, isProblem, problem, type Problem } from '@cloakroom/contracts';
import { type Clock, faultsArmed, keepActing, type Logger, observe, type Readiness, type Span } from '@cloakroom/platform';
import { definitionOf, encode, nameOf, policiesOf, policyOf } from '../contract.ts';
import { type CallMetadata, meshSecret, readCallMetadata, senderOf } from '../metadata.ts';
import { refusedBy } from '../refusal.ts';
import { serverCredentials } from '../tls/mesh-credentials.ts';
import { openPeers, type Peers } from '../tls/mesh-peers.ts';
import { peerCertificateOf } from '../tls/peer-certificate.ts';
import type { MeshTls } from '../tls/tls.ts';
import { doorOf, inFlightMaxDefault, type LoadShedder, loopLagMaxMsDefault, openLoadShedder } from './load-shedding.ts';
import { guarded, meshTransport, refuseWhatCostsEveryCall } from './rpc.ts';
import { respondInTrouble } from './server-faults.ts';
import { type Admission, beginCall, carriedAlone, type Carrier, type Judged, type ServerCall, type SurfaceCall } from './server-call.ts';
import { type QuestionsCall, serveQuestions } from './question-stream.ts';
import { calling } from './observed-call.ts';
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
  /** On a local shop: offers health and reflection too (standard-services.ts), by this look. */
  readonly readyForTools?: (() => Promise<Readiness>) | undefined;
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

  async onModuleInit(): Promise<void> {
    for (const service of this.options.services) {
      const implementation = [...policiesOf(service)].map(([method, { carries }]) => {
        const handled = service.methods.find(({ name }) => name === carries) ?? method;
        const handler = this.handlers.get(handled);
        if (handler === undefined) throw new Error(`${nameOf(handled)} has no handler`);
        return [method.localName, handled === method ? this.serve(method, handler) : this.carry(method, handled, handler)];
      });
      this.server.addService(definitionOf(service), Object.fromEntries(implementation) as UntypedServiceImplementation);
    }
    refuseWhatCostsEveryCall(this.modules);
    const { services, readyForTools } = this.options;
    if (readyForTools === undefined) return;
    const { offerStandardServices } = await import('./standard-services.ts');
    offerStandardServices(this.server, services, readyForTools);
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

  private serve(method: DescMethod, handler: MessageHandler): UntypedHandleCall {
    const run = this.runner(method);
    const begin = this.beginner(method);
    if (method.methodKind === 'unary') return keepActing(unary(method, handler, begin, run));
    if (method.methodKind === 'server_streaming') return keepActing(streaming(method, handler, begin, run, this.streams));
    throw new Error(`${nameOf(method)}: only unary and server-streaming methods are served`);
  }

  /** Serves a stream of questions for a unary method. Each question takes the way that a call of that method takes. */
  private carry(stream: DescMethod, method: DescMethod, handler: MessageHandler): UntypedHandleCall {
    const begin = this.beginner(method);
    const run = this.runner(method);
    const door = doorOf(this.options.name, policyOf(stream), this.shedder);
    const admit = this.judge(stream);
    return keepActing(
      serveQuestions({
        method: stream,
        streams: this.streams,
        admit: async (call) => {
          const place = door();
          if (isProblem(place)) return place;
          const judged = await admit(call, readCallMetadata(call.metadata));
          return isProblem(judged) ? judged : undefined;
        },
        answer: (call, carrier, request, done) =>
          void run(begin(call, carrier), (begun) =>
            begun.run(() => answer(method, handler, begun, () => fromBinary(method.input, request), done)),
          ),
      }),
    );
  }

  private runner(method: DescMethod): Run {
    const enter = doorOf(this.options.name, policyOf(method), this.shedder);
    const name = nameOf(method);
    return async (begun, respond) => {
      const leave = enter();
      if (isProblem(leave)) return void begun.end(leave);
      try {
        await (faultsArmed() ? respondInTrouble(begun, name, respond) : respond(begun));
      } catch (error) {
        begun.end(begun.outcomeOf(error));
      } finally {
        leave();
      }
    };
  }

  private beginner(method: DescMethod): Begin {
    const { name: service, clock, log } = this.options;
    const judge = this.judge(method);
    const policy = policyOf(method);
    const name = nameOf(method);
    return (call, carrier) =>
      beginCall({
        carrier,
        method: name,
        service,
        policy,
        clock,
        log,
        judge: (sent, { traceId }, span) => judge(call, sent, traceId, span),
      });
  }

  private judge(method: DescMethod): Judge {
    const { name: service, log, admission, tls } = this.options;
    const judged = { policy: policyOf(method), name: nameOf(method) };
    return async (call, sent, traceId, span) => {
      const sender = tls === undefined ? senderOf(call.metadata) : 'service';
      const caller = sender === developer ? developer : this.peers?.callerOf(peerCertificateOf(call));
      const proven = { name: caller, proven: tls !== undefined || sender === developer, audience: service };
      if (span !== undefined) observe(span, () => calling(caller, tls !== undefined, sender, meshSecret() !== undefined));
      const admitted = sender === undefined ? refusedBy('no_secret', problem('forbidden')) : await admission.admit(judged, proven, sent);
      if (!isProblem(admitted)) return { identity: admitted.identity, caller };
      if (admitted.problem === 'forbidden')
        log.warn({ method: judged.name, caller, trace_id: traceId }, 'a service called what it may not');
      return admitted;
    };
  }
}

type AnyCall = SurfaceCall | QuestionsCall;
type Judge = (call: AnyCall, sent: CallMetadata | Problem, traceId?: string, span?: Span) => Promise<Judged | Problem>;
type Begin = (call: AnyCall, carrier: Carrier) => ServerCall;
type Run = (begun: ServerCall, respond: (begun: ServerCall) => Promise<void>) => Promise<void>;

function unary(method: DescMethod, handler: MessageHandler, begin: Begin, run: Run): handleUnaryCall<object, object> {
  return (call, callback) => {
    let bytes: Buffer | undefined;
    const carrier = carriedAlone(call, (error, trailer) => (error === undefined ? callback(null, bytes, trailer) : callback(error)));
    const read = () => call.request;
    void run(begin(call, carrier), (begun) => begun.run(() => answer(method, handler, begun, read, (encoded) => (bytes = encoded))));
  };
}

/** Runs the handler of a unary method, and ends its call. @param done takes the answer before the call ends */
async function answer(
  method: DescMethod,
  handler: MessageHandler,
  begun: ServerCall,
  read: () => object,
  done: (answer: Buffer) => void,
): Promise<void> {
  const result = plain(await handler(read(), begun));
  if (isProblem(result)) return void begun.end(result);
  done(encode(method.output, result));
  begun.end('ok');
}

function streaming(
  method: DescMethod,
  handler: MessageHandler,
  begin: Begin,
  run: Run,
  streams: OpenStreams,
): handleServerStreamingCall<object, object> {
  return (call) => {
    // grpc-js takes a stream's status from its "error".
    const carrier = carriedAlone(call, (error, trailer) => (error === undefined ? call.end(trailer) : void call.emit('error', error)));
    void run(begin(call, carrier), async (begun) => {
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
