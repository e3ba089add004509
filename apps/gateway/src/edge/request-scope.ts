/**
 * The exchange of one request, from its headers to the end of its answer. `begin` makes it before anything can fail. `finish` writes what
 * every answer carries: a success, a refusal or a failure.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isProblem, type Problem } from '@cloakroom/contracts';
import { continueTrace, enterTrace, observe, type RandomBytes, type Span, type TraceContext, tracing } from '@cloakroom/platform';
import type { RefreshParts } from '@cloakroom/session';
import type { GatewayParts, IdentityParts } from '../gateway.ts';
import { type Exchange, type Outcome, Timings } from '../http-exchange.ts';
import { clearedCookies, consistencySetCookie, knownDeviceSetCookie, type OurCookies, tokenCookies } from '../identity/cookies.ts';
import { homeOf, regionOf } from '../identity/home-region.ts';
import type { RoutePolicy } from '../route.ts';
import { entering, leaving } from './observed-request.ts';

/** Marks a public answer when a session was shown that could not be checked: the page is what a guest sees. */
export const sessionViewHeader = 'x-session-view';

/** The exchange while it is being made. The guard fills in what the cookies tell; a use case only reads. */
export interface OpenExchange extends Writable<Exchange> {
  /** The route's pattern, and its policy. Both are undefined where there is no route. Kept, because Fastify makes them anew each time. */
  readonly route: string | undefined;
  readonly policy: RoutePolicy | undefined;
  /** Ends with the answer. The span of a live stream ends when the stream begins. */
  readonly span: Span | undefined;
  readonly startedMs: number;
  /** Undefined until the guard has read them. */
  cookies: OurCookies | undefined;
  /** The use case's own answer. Undefined where the request was refused before, or failed. */
  outcome: Outcome | undefined;
  /** The Problem that was answered, whoever found it. */
  refused: Problem | undefined;
  /** A public page is made while its caller is identified: the value of `sessionViewHeader`, if the answer needs it. */
  sessionView: Promise<string | undefined> | undefined;
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

declare module 'fastify' {
  interface FastifyRequest {
    exchange: OpenExchange | undefined;
  }
  interface FastifyContextConfig {
    /** Absent where no use case answers: a page, a file, or an address without a route. */
    policy?: RoutePolicy;
  }
}

export function begin(
  request: FastifyRequest,
  reply: FastifyReply,
  { randomBytes, clock }: GatewayParts,
  experiment: string | undefined,
): OpenExchange {
  const { url: route, config } = request.routeOptions;
  const traceparent = request.headers['traceparent'];
  const { trace, span } = traceOf(request.method, route, typeof traceparent === 'string' ? traceparent : undefined, randomBytes);
  if (span !== undefined) observe(span, () => entering(config.policy, request.headers['user-agent']));
  const gone = new Gone(reply);
  reply.raw.on('close', () => {
    gone.noticeClose();
    endSpan(span, reply);
  });
  return {
    route,
    policy: config.policy,
    trace,
    span,
    startedMs: clock.monotonicMs(),
    timings: new Timings(),
    signal: () => gone.signal(),
    experiment,
    remoteAddress: request.ip,
    proxied: forwardedHeaders.some((name) => request.headers[name] !== undefined),
    userAgent: request.headers['user-agent'],
    deadline: notBegun,
    consistency: [],
    token: undefined,
    renewal: {},
    person: undefined,
    knownDevice: '',
    cookies: undefined,
    outcome: undefined,
    refused: undefined,
    sessionView: undefined,
  };
}

/** Tells the work of a request that its browser has gone. An AbortController costs several microseconds, and most requests ask for none. */
class Gone {
  private controller: AbortController | undefined;
  private readonly reply: FastifyReply;

  constructor(reply: FastifyReply) {
    this.reply = reply;
  }

  signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.reply.raw.closed) this.noticeClose();
    }
    return this.controller.signal;
  }

  noticeClose(): void {
    if (!this.reply.raw.writableFinished) this.controller?.abort(new DOMException('the browser has gone', 'AbortError'));
  }
}

/** RFC 7239's header, and the one that proxies write in practice. */
const forwardedHeaders = ['forwarded', 'x-forwarded-for'] as const;
/** The guard starts the deadline: the time that a slow body takes is not the use case's. */
const notBegun = { remainingMs: () => 0 };

function traceOf(
  method: string,
  route: string | undefined,
  traceparent: string | undefined,
  randomBytes: RandomBytes,
): { readonly trace: TraceContext; readonly span: Span | undefined } {
  // Where there is no span, its name need not be worked out.
  if (!tracing() || probes.has(route ?? '')) return { trace: continueTrace(traceparent, randomBytes), span: undefined };
  return enterTrace(spanOf(method, route), traceparent, randomBytes);
}

/** Machines ask these every few seconds, and a page tells its spans after each click: their own spans would bury those of people. */
const probes: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics', '/api/page-spans']);

/** Only an answer of 500 and above has failed. A browser's mistake is its own failure (OpenTelemetry's rule for servers). */
export function endSpan(span: Span | undefined, reply: FastifyReply): void {
  if (span === undefined) return;
  const { exchange } = reply.request;
  if (exchange !== undefined) observe(span, () => leaving(exchange));
  span.set({ 'http.response.status_code': reply.statusCode });
  span.end(reply.statusCode >= 500 ? String(reply.statusCode) : undefined);
}

/** Names the span by the route's pattern, never by the address, which may hold ids and searches. */
function spanOf(sent: string, url: string | undefined) {
  const method = methods.has(sent) ? sent : '_OTHER';
  const route = url?.replaceAll(/:(\w+)/g, '{$1}');
  return {
    name: route === undefined ? method : `${method} ${route}`,
    kind: 'server',
    attributes: { 'http.request.method': method, ...(route !== undefined && { 'http.route': route }) },
  } as const;
}

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** The parts that the end of an answer needs. */
export type Finishing = Pick<IdentityParts, 'clock' | 'identities' | 'selfContained' | 'region' | 'abroad'>;

/** Writes cookies and Server-Timing. Fastify's onSend calls it for every answer, and a live stream calls it before it takes the connection. */
export function finish(reply: FastifyReply, parts: Finishing): void {
  const { exchange } = reply.request;
  if (exchange === undefined) return;
  const { policy } = exchange;
  if (policy !== undefined && policy.operationClass !== 'public') forgetIfRefused(exchange, parts);
  const setCookies = [...cookiesOf(exchange, parts)];
  if (setCookies.length > 0) reply.header('set-cookie', setCookies);
  // Load shedding has written its own, which says why nothing was done.
  if (!reply.hasHeader('server-timing')) reply.header('server-timing', timingsOf(exchange, policy?.budgetMs ?? 0, parts));
}

/**
 * A service that refuses the passport knows more than the identity cache: it heard a revocation first, or a key was retired. The next request
 * asks auth.
 */
function forgetIfRefused({ outcome, token }: OpenExchange, parts: Finishing): void {
  if (outcome === undefined || !isProblem(outcome) || token === undefined) return;
  if (outcome.problem === 'invalid_passport' || outcome.problem === 'session_ended')
    homeOf(parts, token)?.identities.forgetToken(token.hash);
}

function timingsOf({ timings, startedMs }: OpenExchange, budgetMs: number, { clock }: Finishing): string {
  const spentMs = clock.monotonicMs() - startedMs;
  timings.add({ name: 'total', durationMs: spentMs });
  if (budgetMs > 0) timings.add({ name: 'budget', durationMs: Math.max(0, budgetMs - spentMs), description: `left of ${budgetMs} ms` });
  return timings.header();
}

function* cookiesOf({ outcome, renewal, cookies }: OpenExchange, parts: Finishing): Generator<string> {
  const { clock } = parts;
  const { issued, identity } = renewal;
  const knownAt = ({ region }: RefreshParts) => regionOf(parts, region)?.selfContained;
  if (outcome?.newToken !== undefined) {
    const made = outcome.newToken.selfContained?.parts;
    if (made !== undefined) knownAt(made)?.noteIssued(made);
    yield* tokenCookies(outcome.newToken, clock.nowMs(), cookies);
  } else if (
    issued?.selfContained !== undefined &&
    !(outcome !== undefined && 'loggedOut' in outcome) &&
    knownAt(issued.selfContained.parts)?.isNewest(issued.selfContained.parts, identity) === true
  ) {
    // The gateway renewed these tokens on the way. The answer took a while: the browser may have newer cookies by now, which are not
    // overwritten.
    yield* tokenCookies(issued, clock.nowMs(), undefined);
  }
  if (outcome === undefined || isProblem(outcome)) return;
  if (outcome.consistency !== undefined) yield consistencySetCookie(outcome.consistency);
  if (outcome.knownDevice !== undefined) yield knownDeviceSetCookie(outcome.knownDevice);
  if (outcome.loggedOut === true) yield* clearedCookies;
}
