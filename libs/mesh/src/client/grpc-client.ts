/**
 * The client half of the mesh. A call never throws for a failure of the peer or the network: it answers with the message or a Problem. It never lasts
 * longer than its deadline, even against a paused or vanished peer. It never outlives the request that caused it: deadline and cancellation go on
 * through `parent` and the signal. The client never retries, because only the caller knows which calls may be repeated. grpc-replicas.ts picks the
 * replica.
 */
import type { DescMessage, DescMethod, DescService, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { type CallOptions, Client, type Metadata, type ServiceError, status, type StatusObject } from '@grpc/grpc-js';
import { callMetadata, type Problem } from '@cloakroom/contracts';
import type { OutgoingCall } from '../context.ts';
import type { Logger } from '@cloakroom/platform';
import { budgetOf, cancelWith } from '../deadline.ts';
import { openBreakers } from './circuit-breaker.ts';
import { asIs, carrierOf, decoder, encode, nameOf, policiesOf, serviceNameOf } from '../contract.ts';
import { keepalive, openReplicas } from './grpc-replicas.ts';
import { meshCallSeconds } from '../mesh-metrics.ts';
import { meshSecret, writeCallMetadata } from '../metadata.ts';
import {
  counted,
  type Ended,
  endedAlready,
  endedAs,
  endSpan,
  failureOf,
  heardOf,
  provesNothing,
  spanOf,
  type Target,
  tellTiming,
  withoutStack,
} from './outgoing-call.ts';
import { openQuestionStreams, type QuestionStreams } from './question-stream.ts';
import { clientCredentials } from '../tls/mesh-credentials.ts';
import type { MeshTls } from '../tls/tls.ts';

type UnaryCall<I extends DescMessage, O extends DescMessage> = (
  call: OutgoingCall,
  request: MessageInitShape<I>,
) => Promise<MessageShape<O> | Problem>;
/** Ends after a Problem. Breaking out of the loop cancels the call. */
type StreamCall<I extends DescMessage, O extends DescMessage> = (
  call: OutgoingCall,
  request: MessageInitShape<I>,
) => AsyncIterable<MessageShape<O> | Problem>;

export type MeshClient<S extends DescService> = {
  readonly [K in keyof S['method'] as S['method'][K] extends { methodKind: 'bidi_streaming' } ? never : K]: S['method'][K] extends {
    methodKind: 'unary';
    input: infer I extends DescMessage;
    output: infer O extends DescMessage;
  }
    ? UnaryCall<I, O>
    : S['method'][K] extends { methodKind: 'server_streaming'; input: infer I extends DescMessage; output: infer O extends DescMessage }
      ? StreamCall<I, O>
      : never;
};

/** Unary methods that are asked on a stream, each with the test whether an answer was made for its question. */
export type OnStream<S extends DescService> = {
  readonly [K in keyof S['method']]?: S['method'][K] extends {
    methodKind: 'unary';
    input: infer I extends DescMessage;
    output: infer O extends DescMessage;
  }
    ? (request: MessageInitShape<I>, answer: MessageShape<O>) => boolean
    : never;
};
interface Streamed {
  readonly all: QuestionStreams;
  readonly belongs: (request: object, answer: object) => boolean;
}

export interface MeshConnection<S extends DescService> {
  readonly client: MeshClient<S>;
  close(): void;
}

/** Connects at the first call, and reconnects by itself. @param options.address "localhost:4120", or one for each replica, separated by commas */
export function connectMesh<S extends DescService>(
  service: S,
  options: {
    readonly address: string;
    readonly tls: MeshTls | undefined;
    readonly log: Logger;
    /** The secret that the other process was started with, where there are no certificates. By default this process' own. */
    readonly secret?: string | undefined;
    /** Asked on one stream to each replica, and by calls of their own where a replica has no such stream. */
    readonly onStream?: OnStream<S>;
  },
): MeshConnection<S> {
  const peer = serviceNameOf(service);
  const replicas = openReplicas(
    options.address.split(','),
    (address) => new Client(address, clientCredentials(options.tls), settingsFor(peer, options.tls)),
    () => performance.now(),
  );
  const breakers = openBreakers(peer, replicas);
  const streams: QuestionStreams[] = [];
  const renew = async (): Promise<void> => {
    await replicas.renew();
    // They stand on the old connections, which were admitted with the old certificate.
    for (const one of streams) one.retire();
  };
  const unwatch = options.tls?.onChange?.(renew);
  const secret = options.tls === undefined ? (options.secret ?? meshSecret()) : undefined;
  let closed = false;
  const close = (): void => {
    closed = true;
    unwatch?.();
    breakers.close();
    for (const one of streams) one.retire();
    replicas.close();
  };
  const streamed = (method: DescMethod): Streamed | undefined => {
    const belongs = options.onStream?.[method.localName as keyof S['method']] as Streamed['belongs'] | undefined;
    const carrier = belongs && carrierOf(method);
    if (belongs === undefined || carrier === undefined) return undefined;
    const all = openQuestionStreams({ stream: carrier, method, log: options.log, secret, nowMs: () => performance.now() });
    streams.push(all);
    return { all, belongs };
  };
  const methods = [...policiesOf(service)].flatMap(([method, policy]): (readonly [string, unknown])[] => {
    const target = { replicas, method, policyBudgetMs: policy.budgetMs, log: options.log, isClosed: () => closed, secret };
    if (method.methodKind === 'unary') return [[method.localName, breakers.guard(method, unary(target, streamed(method)))]];
    if (method.methodKind === 'bidi_streaming') return [];
    return [[method.localName, breakers.guardStream(method, stream(target))]];
  });
  return { client: Object.fromEntries(methods) as unknown as MeshClient<S>, close };
}

/** grpc-js' settings of one connection. */
function settingsFor(peer: string, tls: MeshTls | undefined) {
  return {
    // The certificate must name the service we mean, not just any service that answers on the port.
    ...(tls !== undefined && { 'grpc.ssl_target_name_override': peer }),
    // The client finds a restarted service within a second, and gives up a silent peer within seven, streams included.
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1_000,
    'grpc.keepalive_time_ms': keepalive.timeMs,
    'grpc.keepalive_timeout_ms': keepalive.timeoutMs,
    'grpc.keepalive_permit_without_calls': 1,
    'grpc.service_config_disable_resolution': 1,
    'grpc.enable_http_proxy': 0,
    // The caller alone knows whether a call may be repeated, and it has a budget for that (retry-budget.ts).
    'grpc.enable_retries': 0,
    // Each client has its own connection, so that close() closes it.
    'grpc.use_local_subchannel_pool': 1,
  };
}

function unary(target: Target, streams?: Streamed) {
  const { replicas, method, log } = target;
  return async (call: OutgoingCall, request: object): Promise<object> => {
    const message = encode(method.input, request);
    const early = endedAlready(call, target);
    if (early !== undefined) return counted(method, early);
    const startedMs = performance.now();
    // A switch may go off while its last call is on its way.
    const own = provesNothing(call);
    const span = spanOf(call, target);
    const { traceparent } = span?.trace ?? call.trace;
    const deadlineMs = startedMs + budgetOf(call.budgetMs, target.policyBudgetMs);
    const picked = replicas.pick('unary', deadlineMs, call.signal);
    const replica = picked instanceof Promise ? await picked : picked;
    const meanwhile = endedAlready(call, target);
    if (meanwhile !== undefined) {
      replica.ended('nothing');
      endSpan(span, status.CANCELLED, meanwhile);
      return counted(method, meanwhile);
    }
    const { experiment, signal } = call;
    const belongs = (answer: object): boolean => streams!.belongs(request, answer);
    const question = { request: message, deadlineMs, traceparent, experiment, signal, belongs };
    const ended =
      (await streams?.all.ask(replica.client, question)) ??
      (await alone(replica.client, message, { call, target, traceparent, deadlineMs }));
    replica.ended(own || provesNothing(call) ? 'nothing' : heardOf(call, ended));
    meshCallSeconds.observe({ side: 'client', method: nameOf(method) }, (performance.now() - startedMs) / 1000);
    tellTiming(call, ended);
    const outcome = ended.code === status.OK && ended.answer !== undefined ? ended.answer : failureOf(call, ended, method, log);
    endSpan(span, ended.code, outcome);
    return counted(method, outcome);
  };
}

interface Sending {
  readonly call: OutgoingCall;
  readonly target: Target;
  readonly traceparent: string;
  /** Monotonic; Infinity for a stream that stays open. */
  readonly deadlineMs: number;
}

/** One gRPC call for one request. */
function alone(client: Client, message: Buffer, sending: Sending): Promise<Ended> {
  const { method } = sending.target;
  const { metadata, options } = prepared(sending);
  return new Promise((resolve) => {
    let answer: object | undefined;
    const take = (_error: ServiceError | null, value?: object): void => void (answer = value);
    const sent = withoutStack(() =>
      client.makeUnaryRequest<Buffer, object>(`/${nameOf(method)}`, asIs, decoder(method.output), message, metadata, options, take),
    );
    const forget = cancelWith(sending.call.signal, () => sent.cancel());
    // This event comes after the callback, and has the trailer in success too.
    sent.on('status', (ending: StatusObject) => {
      forget();
      resolve({ ...endedAs(ending.code, ending), answer });
    });
  });
}

function stream(target: Target) {
  const { replicas, method, log } = target;
  return async function* (call: OutgoingCall, request: object): AsyncGenerator<object> {
    const message = encode(method.input, request);
    const early = endedAlready(call, target);
    if (early !== undefined) {
      yield counted(method, early);
      return;
    }
    const span = spanOf(call, target);
    const { traceparent } = span?.trace ?? call.trace;
    const deadlineMs = performance.now() + budgetOf(call.budgetMs, target.policyBudgetMs);
    const { metadata, options } = prepared({ call, target, traceparent, deadlineMs });
    const replica = await replicas.pick('stream', deadlineMs, call.signal);
    // The span covers only the request of an open stream. A span that ends with the stream would come hours late, or never.
    endSpan(span, status.OK, {});
    const meanwhile = endedAlready(call, target);
    if (meanwhile !== undefined) {
      replica.ended('nothing');
      yield counted(method, meanwhile);
      return;
    }
    const sent = replica.client.makeServerStreamRequest<Buffer, object>(
      `/${nameOf(method)}`,
      asIs,
      decoder(method.output),
      message,
      metadata,
      options,
    );
    // An "error" without a listener would end the process. Node's iteration happens to go on listening after a break, but nothing promises it.
    sent.on('error', () => undefined);
    sent.on('status', (ending: StatusObject) => tellTiming(call, endedAs(ending.code, ending)));
    const forget = cancelWith(call.signal, () => sent.cancel());
    try {
      yield* sent as AsyncIterable<object>;
      counted(method, {});
    } catch (error) {
      const failure = error as ServiceError;
      yield counted(method, failureOf(call, endedAs(failure.code, failure), method, log));
    } finally {
      forget();
      replica.ended('nothing');
      sent.cancel();
    }
  };
}

function prepared({ call, target, traceparent, deadlineMs }: Sending): { readonly metadata: Metadata; readonly options: CallOptions } {
  const metadata = writeCallMetadata({ ...call, traceparent });
  if (target.secret !== undefined) metadata.set(callMetadata.meshSecret, target.secret);
  return {
    metadata,
    options: {
      ...(Number.isFinite(deadlineMs) && { deadline: Date.now() + Math.max(0, deadlineMs - performance.now()) }),
      ...(call.parent !== undefined && { parent: call.parent as NonNullable<CallOptions['parent']> }),
    },
  };
}
