/**
 * The client half of the mesh. A call never throws for a failure of the peer or the network: it answers with the message or a Problem. It never lasts
 * longer than its deadline, even against a paused or vanished peer. It never outlives the request that caused it: deadline and cancellation go on
 * through `parent` and the signal. The client never retries, because only the caller knows which calls may be repeated. grpc-replicas.ts picks the
 * replica.
 */
import type { DescMessage, DescMethod, DescService, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { type CallOptions, Client, type Metadata, type ServiceError, status, type StatusObject } from '@grpc/grpc-js';
import { callMetadata, isProblem, problem, type Problem } from '@cloakroom/contracts';
import type { OutgoingCall } from '../context.ts';
import { type Logger, type Span, startSpan } from '@cloakroom/platform';
import { abortedAs, budgetOf, cancelWith, isDeadlineReason } from '../deadline.ts';
import { openBreakers } from './circuit-breaker.ts';
import { asIs, decoder, encode, nameOf, policiesOf, serviceNameOf } from '../contract.ts';
import { type Heard, keepalive, openReplicas, type Replicas } from './grpc-replicas.ts';
import { meshCalls, meshCallSeconds } from '../mesh-metrics.ts';
import { meshSecret, parseTimings, writeCallMetadata } from '../metadata.ts';
import { readProblem } from '../outcome.ts';
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
  readonly [K in keyof S['method']]: S['method'][K] extends {
    methodKind: 'unary';
    input: infer I extends DescMessage;
    output: infer O extends DescMessage;
  }
    ? UnaryCall<I, O>
    : S['method'][K] extends { methodKind: 'server_streaming'; input: infer I extends DescMessage; output: infer O extends DescMessage }
      ? StreamCall<I, O>
      : never;
};

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
  },
): MeshConnection<S> {
  const peer = serviceNameOf(service);
  const settings = {
    // The certificate must name the service we mean, not just any service that answers on the port.
    ...(options.tls !== undefined && { 'grpc.ssl_target_name_override': peer }),
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
  const replicas = openReplicas(
    options.address.split(','),
    (address) => new Client(address, clientCredentials(options.tls), settings),
    () => performance.now(),
  );
  const breakers = openBreakers(peer, replicas);
  const unwatch = options.tls?.onChange?.(() => replicas.renew());
  const secret = options.tls === undefined ? (options.secret ?? meshSecret()) : undefined;
  let closed = false;
  const close = (): void => {
    closed = true;
    unwatch?.();
    breakers.close();
    replicas.close();
  };
  const methods = [...policiesOf(service)].map(([method, policy]) => {
    const target = { replicas, method, policyBudgetMs: policy.budgetMs, log: options.log, isClosed: () => closed, secret };
    const call = method.methodKind === 'unary' ? breakers.guard(method, unary(target)) : breakers.guardStream(method, stream(target));
    return [method.localName, call] as const;
  });
  return { client: Object.fromEntries(methods) as unknown as MeshClient<S>, close };
}

interface Target {
  readonly replicas: Replicas;
  readonly method: DescMethod;
  readonly policyBudgetMs: number;
  readonly secret: string | undefined;
  readonly log: Logger;
  readonly isClosed: () => boolean;
}

function unary(target: Target) {
  const { replicas, method, log } = target;
  return async (call: OutgoingCall, request: object): Promise<object> => {
    const message = encode(method.input, request);
    const early = endedAlready(call, target);
    if (early !== undefined) return counted(method, early);
    const startedMs = performance.now();
    const span = spanOf(call, method);
    const { metadata, options, deadlineMs } = outgoing(call, target, span);
    const picked = replicas.pick('unary', deadlineMs, call.signal);
    const replica = picked instanceof Promise ? await picked : picked;
    const meanwhile = endedAlready(call, target);
    if (meanwhile !== undefined) {
      replica.ended('nothing');
      endSpan(span, status.CANCELLED, meanwhile);
      return counted(method, meanwhile);
    }
    return await new Promise<object>((resolve) => {
      let answer: object | undefined;
      const sent = withoutStack(() =>
        replica.client.makeUnaryRequest<Buffer, object>(
          `/${nameOf(method)}`,
          asIs,
          decoder(method.output),
          message,
          metadata,
          options,
          (_error: ServiceError | null, value?: object) => (answer = value),
        ),
      );
      const forget = cancelWith(call.signal, () => sent.cancel());
      // This event comes after the callback, and has the trailer in success too.
      sent.on('status', (ending: StatusObject) => {
        forget();
        replica.ended(heardOf(call, ending));
        meshCallSeconds.observe({ side: 'client', method: nameOf(method) }, (performance.now() - startedMs) / 1000);
        tellTiming(call, ending.metadata);
        const outcome = ending.code === status.OK && answer !== undefined ? answer : failureOf(call, ending, method, log);
        endSpan(span, ending.code, outcome);
        resolve(counted(method, outcome));
      });
    });
  };
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
    const span = spanOf(call, method);
    const { metadata, options, deadlineMs } = outgoing(call, target, span);
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
    sent.on('status', (ending: StatusObject) => tellTiming(call, ending.metadata));
    const forget = cancelWith(call.signal, () => sent.cancel());
    try {
      yield* sent as AsyncIterable<object>;
      counted(method, {});
    } catch (error) {
      yield counted(method, failureOf(call, error as ServiceError, method, log));
    } finally {
      forget();
      replica.ended('nothing');
      sent.cancel();
    }
  };
}

function spanOf(call: OutgoingCall, method: DescMethod): Span | undefined {
  const attributes = { 'rpc.system.name': 'grpc', 'rpc.method': nameOf(method) };
  return startSpan({ name: nameOf(method), kind: 'client', parent: call.trace.traceparent, attributes });
}

function endSpan(span: Span | undefined, code: status, outcome: object): void {
  span?.set({ 'rpc.response.status_code': status[code] });
  span?.end(isProblem(outcome) ? outcome.problem : undefined);
}

interface Prepared {
  readonly metadata: Metadata;
  readonly options: CallOptions;
  /** Monotonic; Infinity for a stream that stays open. */
  readonly deadlineMs: number;
}

function outgoing(call: OutgoingCall, { policyBudgetMs, secret }: Target, span: Span | undefined): Prepared {
  const budgetMs = budgetOf(call.budgetMs, policyBudgetMs);
  const metadata = writeCallMetadata({ ...call, traceparent: (span?.trace ?? call.trace).traceparent });
  if (secret !== undefined) metadata.set(callMetadata.meshSecret, secret);
  return {
    metadata,
    deadlineMs: performance.now() + budgetMs,
    options: {
      ...(Number.isFinite(budgetMs) && { deadline: Date.now() + budgetMs }),
      ...(call.parent !== undefined && { parent: call.parent as NonNullable<CallOptions['parent']> }),
    },
  };
}

function endedAlready(call: OutgoingCall, { policyBudgetMs, isClosed }: Target): Problem | undefined {
  // Nothing was sent.
  if (isClosed()) return problem('unavailable');
  if (call.signal?.aborted === true) return abortedAs(call.signal);
  return budgetOf(call.budgetMs, policyBudgetMs) > 0 ? undefined : problem('deadline_exceeded');
}

function failureOf(call: OutgoingCall, failure: Failure, method: DescMethod, log: Logger): Problem {
  if (failure.code === status.CANCELLED && call.signal?.aborted === true) return abortedAs(call.signal);
  const outcome = readProblem(failure);
  // A peer that worded the Problem has already logged it.
  const unworded = (failure.metadata?.get(callMetadata.problem) ?? []).length === 0;
  if (outcome.problem === 'internal' && unworded) {
    log.error({ method: nameOf(method), status: failure.code, details: failure.details, trace_id: call.trace.traceId }, 'call failed');
  }
  return outcome;
}

/** The ending's news of the replica: its own words, silence until the time ran out, a broken connection, or nothing. */
function heardOf(call: OutgoingCall, { code, metadata }: Failure): Heard {
  if (code === status.OK || (metadata?.get(callMetadata.problem) ?? []).length > 0) return 'answer';
  const ranOut = code === status.DEADLINE_EXCEEDED || (call.signal?.aborted === true && isDeadlineReason(call.signal.reason));
  return ranOut ? 'silence' : code === status.UNAVAILABLE ? 'lost' : 'nothing';
}

type Failure = Pick<ServiceError, 'code' | 'details' | 'metadata'>;

function tellTiming(call: OutgoingCall, trailer: Metadata | undefined): void {
  const [field] = trailer?.get(callMetadata.serverTiming) ?? [];
  if (call.onTiming !== undefined && typeof field === 'string') call.onTiming(parseTimings(field));
}

function counted(method: DescMethod, outcome: object): object {
  meshCalls.inc({ side: 'client', method: nameOf(method), code: isProblem(outcome) ? outcome.problem : 'ok' });
  return outcome;
}

/**
 * grpc-js notes the caller's stack at each call, for an error that it may make. That was 7 % of a request at the gateway. Here failures become
 * Problems, and the stack of a call that the network failed tells nothing. The function is synchronous, so no other code makes an error meanwhile.
 */
export function withoutStack<Result>(work: () => Result): Result {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return work();
  } finally {
    Error.stackTraceLimit = limit;
  }
}
