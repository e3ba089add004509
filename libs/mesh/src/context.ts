import type { SelfContainedMode } from '@cloakroom/contracts';
import type { TraceContext } from '@cloakroom/platform';
import type { ServerSurfaceCall } from '@grpc/grpc-js/build/src/server-call.js';

/** The person a call is for, as auth signed it into the passport and this process verified it. Times are milliseconds since 1970. */
export interface VerifiedIdentity {
  /** "g_..." of a guest, "u_..." of a user. */
  readonly subject: string;
  /** The session's handle (claim `sid`): never a token. */
  readonly handle: string;
  readonly state: 'guest' | 'user';
  readonly epoch: number;
  readonly globalEpoch: number;
  /** How and when the person proved themselves (OpenID Connect Core 2: acr, amr, auth_time). 0 for a guest, who never did. */
  readonly acr: string;
  readonly amr: readonly string[];
  readonly authenticatedAtMs: number;
  /** One id for every call that one request at the edge causes. */
  readonly transaction: string;
  /** Services that act for the person, outermost first (RFC 8693 4.1). */
  readonly actors: readonly string[];
  /** The methods that the outermost actor may call with an exchanged passport. Undefined without actors. */
  readonly scope?: readonly string[];
  readonly region: string;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  /** The mode of an access token, which a browser carries. A passport has none. */
  readonly accessMode?: SelfContainedMode;
}

/** A latency budget that shrinks hop by hop. Monotonic, so that a clock step neither grants nor takes time. */
export interface Deadline {
  remainingMs(): number;
}

export interface Timing {
  readonly name: string;
  readonly durationMs: number;
  readonly description?: string;
}

/**
 * Everything a handler may know of its caller, as its explicit first argument. Nothing here is ambient: two interleaved requests share no object
 * (GitHub, March 2021).
 */
export interface RequestContext {
  /** Undefined only where the method's policy asks for no person and none was sent. */
  readonly identity: VerifiedIdentity | undefined;
  /** The passport or access token as it came. Exchange it at auth (token-exchange.ts); never send it on, log it or keep it. */
  readonly subjectToken?: string | undefined;
  /** The name in the caller's certificate. In embedded mode nothing tells services apart, so it is undefined for them. */
  readonly caller: string | undefined;
  readonly deadline: Deadline;
  /** Aborts when the caller gave up or the deadline passed. */
  readonly signal: AbortSignal;
  readonly trace: TraceContext;
  readonly experiment: string | undefined;
  /** The caller's consistency token, as sent. */
  readonly consistency: string | undefined;
  /** Adds an entry to the Server-Timing of the answer. */
  timing(entry: Timing): void;
  /** grpc-js needs the server's call to shrink the deadline and to pass a cancellation on. */
  readonly parent: ServerSurfaceCall | undefined;
}

/** The same context, once the server has enforced a policy that needs a person. */
export type PersonContext = RequestContext & { readonly identity: VerifiedIdentity };

/** The data that goes with a call. A service makes it from the request's context by `forward`; the gateway makes it from the HTTP exchange. */
export interface OutgoingCall {
  /** The remaining milliseconds; Infinity for a stream that stays open. The method's own budget is the upper limit. */
  readonly budgetMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly passport?: string | undefined;
  /** In the modes jwt and jwt-denylist instead of a passport. */
  readonly accessToken?: string | undefined;
  readonly trace: TraceContext;
  readonly experiment?: string | undefined;
  readonly consistency?: string | undefined;
  readonly parent?: ServerSurfaceCall | undefined;
  /** Receives the Server-Timing entries of the answer, the peer's own first. */
  readonly onTiming?: ((entries: readonly Timing[]) => void) | undefined;
}

/** The data that a handler sends on with a call it makes on its request's behalf. */
export function forward(ctx: RequestContext, options: { readonly passport?: string | undefined } = {}): OutgoingCall {
  return {
    budgetMs: ctx.deadline.remainingMs(),
    signal: ctx.signal,
    passport: options.passport,
    trace: ctx.trace,
    experiment: ctx.experiment,
    consistency: ctx.consistency,
    parent: ctx.parent,
    onTiming: (entries) => entries.forEach((entry) => ctx.timing(entry)),
  };
}
