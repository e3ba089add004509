/**
 * The server half of the mesh: a process's services behind the policy of the contract, on one port. The handlers are plain functions, each wrapped
 * with the policy of its own method. Only the handlers given here exist; an unknown path is UNIMPLEMENTED.
 */
import type { DescMessage, DescMethod, DescService, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  Server,
  type ServerCredentials,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { isProblem, type MethodPolicy, problem, type Problem } from '@cloakroom/contracts';
import type { Clock, Logger } from '@cloakroom/platform';
import type { PersonContext, RequestContext } from '../context.ts';
import { definitionOf, encode } from '../grpc-codec.ts';
import { doorOf, inFlightMaxDefault, type LoadShedder, loopLagMaxMsDefault, openLoadShedder } from './load-shedding.ts';
import { peerCertificateOf } from '../tls/peer-certificate.ts';
import { nameOf, policiesOf } from '../policy.ts';
import { beginCall, type Ending, type ServerCall, type SurfaceCall } from './server-call.ts';
import type { Admission } from './server-admission.ts';
import { openStreams, type OpenStreams, pump } from './server-stream.ts';
import { serverCredentials } from '../tls/mesh-credentials.ts';
import { openPeers, type Peers } from '../tls/mesh-peers.ts';
import { isOurs, meshSecret } from '../mesh-secret.ts';
import type { MeshTls } from '../tls/tls.ts';

type Unary<I extends DescMessage, O extends DescMessage> = (
  ctx: RequestContext,
  request: MessageShape<I>,
) => Promise<MessageInitShape<O> | Problem>;
/** Yields messages until it returns. A yielded Problem ends the stream with it. It must stop when `ctx.signal` aborts. */
type ServerStream<I extends DescMessage, O extends DescMessage> = (
  ctx: RequestContext,
  request: MessageShape<I>,
) => AsyncIterable<MessageInitShape<O> | Problem>;

/** A handler for every method of the service, by localName. */
export type Handlers<S extends DescService> = {
  [K in keyof S['method']]: S['method'][K] extends {
    methodKind: 'unary';
    input: infer I extends DescMessage;
    output: infer O extends DescMessage;
  }
    ? Unary<I, O>
    : S['method'][K] extends { methodKind: 'server_streaming'; input: infer I extends DescMessage; output: infer O extends DescMessage }
      ? ServerStream<I, O>
      : never;
};

type UnaryHandler = (ctx: RequestContext, request: object) => Promise<object>;
type StreamHandler = (ctx: RequestContext, request: object) => AsyncIterable<object>;
type AnyHandler = UnaryHandler | StreamHandler;

export interface Implementation {
  readonly service: DescService;
  readonly handlers: Readonly<Record<string, AnyHandler>>;
}

export function implement<S extends DescService>(service: S, handlers: Handlers<S>): Implementation {
  return { service, handlers: handlers as unknown as Implementation['handlers'] };
}

/** For handlers of methods that need a guest or a user: the server has enforced that there is one. */
export function person(ctx: RequestContext): PersonContext {
  if (ctx.identity === undefined) throw new Error('this method asks for no person: its policy is none or service');
  return ctx as PersonContext;
}

export interface MeshServerOptions {
  /** "cart": the name in logs and in Server-Timing. */
  readonly name: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Loopback by default: the mesh is not for the network. */
  readonly host?: string;
  /** undefined: plaintext, only where everything is one process (embedded). */
  readonly tls: MeshTls | undefined;
  readonly services: readonly Implementation[];
  readonly admission: Admission;
  readonly clock: Clock;
  readonly log: Logger;
  /** The bounds above which the server refuses calls; by default those of load-shedding.ts. */
  readonly shedder?: LoadShedder;
}

export interface MeshServer {
  readonly port: number;
  /** Ends open streams, lets calls finish for at most `stopGraceMs`, then cuts. */
  stop(): Promise<void>;
}

/** Within the 8 s that a process has to stop. */
const stopGraceMs = 4_000;

/** @throws Error before it listens when a method has no policy or no handler */
export async function serveMesh(options: MeshServerOptions): Promise<MeshServer> {
  const { tls, log, name, host = '127.0.0.1' } = options;
  const server = new Server({
    // A request is a form. 1 MiB is far above any form and far below harmful sizes.
    'grpc.max_receive_message_length': 1024 * 1024,
    // The server frees the streams of a vanished client within 15 s.
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 5_000,
    'grpc.max_concurrent_streams': 1_000,
  });
  const streams = openStreams(options.admission);
  const peers = tls && openPeers(tls, options.clock);
  const shedder = options.shedder ?? openLoadShedder({ inFlightMax: inFlightMaxDefault, loopLagMaxMs: loopLagMaxMsDefault });
  for (const { service, handlers } of options.services) {
    const entries = [...policiesOf(service)].map(([method, policy]) => {
      const handler = Object.hasOwn(handlers, method.localName) ? handlers[method.localName] : undefined;
      if (handler === undefined) throw new Error(`${nameOf(method)} has no handler`);
      return { method, serve: serveMethod(method, policy, handler, { ...options, shedder, peers }, streams) };
    });
    server.addService(
      definitionOf(service),
      Object.fromEntries(entries.map(({ method, serve }) => [method.localName, serve])) as UntypedServiceImplementation,
    );
  }
  if (tls === undefined) log.warn({ service: name }, `the mesh runs without TLS: ${whoMayCall()}`);
  const port = await bind(server, `${host}:${options.port}`, serverCredentials(tls));
  return {
    port,
    stop: async () => {
      await stop(server, streams);
      peers?.stop();
    },
  };
}

function serveMethod(
  method: DescMethod,
  policy: MethodPolicy,
  handler: AnyHandler,
  options: MeshServerOptions & { readonly shedder: LoadShedder; readonly peers: Peers | undefined },
  streams: OpenStreams,
) {
  const { name: service, clock, log, peers } = options;
  const enter = doorOf(service, policy, options.shedder);
  const serve = async (call: SurfaceCall, begun: ServerCall, respond: (ctx: RequestContext) => Promise<void>): Promise<void> => {
    const leave = enter();
    if (isProblem(leave)) return void begun.end(leave);
    try {
      const caller = peers?.callerOf(peerCertificateOf(call));
      const ours = options.tls !== undefined || isOurs(call.metadata);
      const proven = { name: caller, proven: options.tls !== undefined, audience: service };
      const admitted = ours
        ? await options.admission.admit({ policy, name: nameOf(method) }, proven, begun.metadata)
        : problem('forbidden');
      if (!isProblem(admitted)) return await begun.run(() => respond(begun.context(admitted.identity, caller)));
      if (admitted.problem === 'forbidden')
        log.warn({ method: nameOf(method), caller, trace_id: begun.traceId }, 'a service called what it may not');
      begun.end(admitted);
    } catch (error) {
      begun.end(begun.outcomeOf(error));
    } finally {
      leave();
    }
  };
  const begin = (call: SurfaceCall, finish: Finish): ServerCall =>
    beginCall({ call, method: nameOf(method), service, policy, clock, log, finish });
  if (method.methodKind === 'unary') return unary(method, handler as UnaryHandler, begin, serve);
  if (method.methodKind === 'server_streaming') return streaming(method, handler as StreamHandler, begin, serve, streams);
  throw new Error(`${nameOf(method)}: only unary and server-streaming methods are served`);
}

type Finish = (error: Ending | undefined, trailer: Ending['trailer']) => void;
type Begin = (call: SurfaceCall, finish: Finish) => ServerCall;
type Serve = (call: SurfaceCall, begun: ServerCall, respond: (ctx: RequestContext) => Promise<void>) => Promise<void>;

function unary(method: DescMethod, handler: UnaryHandler, begin: Begin, serve: Serve): handleUnaryCall<object, object> {
  return (call, callback) => {
    let answer: Buffer | undefined;
    const begun = begin(call, (error, trailer) =>
      error === undefined ? callback(null, answer, trailer) : callback({ code: error.code, details: error.details, metadata: trailer }),
    );
    void serve(call, begun, async (ctx) => {
      const result = await handler(ctx, call.request);
      if (isProblem(result)) begun.end(result);
      else {
        answer = encode(method.output, result);
        begun.end('ok');
      }
    });
  };
}

function streaming(
  method: DescMethod,
  handler: StreamHandler,
  begin: Begin,
  serve: Serve,
  streams: OpenStreams,
): handleServerStreamingCall<object, object> {
  return (call) => {
    const begun = begin(call, (error, trailer) =>
      // grpc-js takes a stream's status from its "error".
      error === undefined ? call.end(trailer) : void call.emit('error', { code: error.code, details: error.details, metadata: trailer }),
    );
    void serve(call, begun, (ctx) =>
      pump({ begun, ctx, call, streams, messages: handler(ctx, call.request), encode: (m) => encode(method.output, m) }),
    );
  };
}

const whoMayCall = (): string =>
  meshSecret() === undefined
    ? 'without a secret too, so whoever reaches this port may call any method'
    : 'only this process and those who know its secret may call, and services are not told apart';

function bind(server: Server, address: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => (error === null ? resolve(port) : reject(error)));
  });
}

async function stop(server: Server, streams: OpenStreams): Promise<void> {
  streams.endAll(problem('unavailable'));
  await new Promise<void>((resolve) => {
    const cut = setTimeout(() => server.forceShutdown(), stopGraceMs);
    server.tryShutdown(() => {
      clearTimeout(cut);
      resolve();
    });
  });
}
