/**
 * One request through the table: who (cookie, identity) -> what (schemas) -> the use case -> the answer in HTTP's words.
 *
 * http-server.ts has checked origin and rate before, ahead of the body. The table says what a route needs, and its use case never does: a
 * route that states no identity cannot see one.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { consistencyTokenPattern, experimentPattern, isProblem, problem, type Problem, SessionState, toldCode } from '@cloakroom/contracts';
import { startDeadline } from '@cloakroom/mesh';
import { parseKnownDevice } from '@cloakroom/session';
import type { z } from 'zod';
import { type Begun, endSpan } from './request-scope.ts';
import {
  clearedCookies,
  consistencySetCookie,
  type OurCookies,
  readCookies,
  knownDeviceSetCookie,
  tokenCookies,
} from '../identity/cookies.ts';
import { eventSocket } from './event-socket.ts';
import type { Answer, Exchange, Outcome, Person, Renewal } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { sessionDecisions } from '../metrics.ts';
import { invalid, problemAnswer } from './problem-answer.ts';
import type { Route } from '../route.ts';
import { deviceLabel } from './device-label.ts';
import { readShown, whoIs } from '../identity/identify-caller.ts';

/** A page that anyone may see waits no longer than this until its caller is identified. */
const publicIdentityBudgetMs = 300;
/** Marks a public answer when a session was shown that could not be checked: the page is what a guest sees. */
export const sessionViewHeader = 'x-session-view';

export function serveRoutes(server: FastifyInstance, routes: readonly Route[], gateway: Gateway): void {
  for (const route of routes) {
    server.route({
      method: route.method,
      url: route.path.replaceAll(/\{(\w+)\}/g, ':$1'),
      exposeHeadRoute: route.live !== true,
      config: { operationClass: route.operationClass, live: route.live === true },
      handler: async (request, reply) => {
        const begun = request.begun!;
        const { outcome, headers, sent } = await answer(route, request, begun, gateway);
        for (const [name, value] of Object.entries(headers)) reply.header(name, value);
        const setCookies = [...cookiesOf(outcome, sent, gateway)];
        if (setCookies.length > 0) reply.header('set-cookie', setCookies);
        return send(reply, begun, route, outcome, gateway);
      },
    });
  }
}

interface Answered {
  readonly outcome: Outcome;
  readonly headers: Readonly<Record<string, string>>;
  /** The browser's cookies, and the result of identifying the caller by them. */
  readonly sent?: { readonly cookies: OurCookies; readonly renewal: Renewal };
}

async function answer(route: Route, request: FastifyRequest, begun: Begun, gateway: Gateway): Promise<Answered> {
  // The cookies of a browser on the same host must not make a probe fail.
  const cookies = readCookies(route.operationClass === 'operations' ? undefined : request.headers.cookie);
  if (isProblem(cookies)) return { outcome: cookies, headers: {} };
  const anonymous = exchangeOf(route, request, begun, cookies, gateway);
  if (isProblem(anonymous)) return { outcome: anonymous, headers: {} };
  const sent = { cookies, renewal: anonymous.renewal };
  const knownAccount = parseKnownDevice(anonymous.knownDevice, gateway.macKeys)?.subject;
  const limited = route.limit === 'sign-in' ? await gateway.limits.signIn(request.ip, knownAccount) : undefined;
  if (limited !== undefined) return { outcome: limited, headers: {} };

  // A page that anyone may see is the same for every caller, so the gateway identifies the caller meanwhile.
  if (route.operationClass === 'public') {
    const [view, outcome] = await Promise.all([publicView(anonymous, gateway), handle(route, request, anonymous, gateway)]);
    return { outcome, headers: view, sent };
  }
  const person = await personFor(route, anonymous, gateway);
  if (isProblem(person)) return { outcome: person, headers: {}, sent };
  const exchange = { ...anonymous, person, token: anonymous.renewal.token ?? anonymous.token };
  return { outcome: evictIfRefused(await handle(route, request, exchange, gateway), exchange, gateway), headers: {}, sent };
}

/**
 * A service that refuses the passport knows more than the identity cache: it heard a revocation first, or a key was retired. The next request
 * asks auth.
 */
function evictIfRefused(outcome: Outcome, exchange: Exchange, gateway: Gateway): Outcome {
  if (!isProblem(outcome) || exchange.token === undefined) return outcome;
  if (outcome.problem !== 'invalid_passport' && outcome.problem !== 'session_ended') return outcome;
  gateway.identities.forgetToken(exchange.token.hash);
  // A browser holds no passport, so all it can do is try again.
  return outcome.problem === 'invalid_passport' ? problem('identity_unavailable') : outcome;
}

function exchangeOf(route: Route, request: FastifyRequest, begun: Begun, cookies: OurCookies, gateway: Gateway): Exchange | Problem {
  const shown = request.headers['consistency-token'];
  const header = typeof shown === 'string' && shown !== '' ? shown : undefined;
  if (header !== undefined && !consistencyTokenPattern.test(header))
    return problem('invalid_request', 'Consistency-Token is not one of ours.');
  const cookie = cookies.consistency !== undefined && consistencyTokenPattern.test(cookies.consistency) ? cookies.consistency : undefined;
  const experiment = request.headers['x-experiment-id'];
  return {
    trace: begun.trace,
    timings: begun.timings,
    signal: begun.signal,
    experiment: typeof experiment === 'string' && experimentPattern.test(experiment) ? experiment : undefined,
    deadline: startDeadline(route.budgetMs === 0 ? Number.POSITIVE_INFINITY : route.budgetMs, gateway.clock),
    consistency: [header, cookie].filter((token) => token !== undefined),
    token: readShown(cookies, gateway.macKeys),
    renewal: {},
    person: undefined,
    knownDevice: knownDeviceOf(route, cookies, gateway),
    remoteAddress: request.ip,
    proxied: forwardedHeaders.some((name) => request.headers[name] !== undefined),
    device: deviceLabel(request.headers['user-agent']),
  };
}

/** RFC 7239's header, and the one that proxies write in practice. */
const forwardedHeaders = ['forwarded', 'x-forwarded-for'] as const;

/** Only sign-ins read this cookie. One that never was ours counts as none, and reaches no database. */
function knownDeviceOf(route: Route, { knownDevice }: OurCookies, gateway: Gateway): string {
  if (route.limit !== 'sign-in' || knownDevice === undefined) return '';
  return parseKnownDevice(knownDevice, gateway.macKeys) === undefined ? '' : knownDevice;
}

/** Enforces the identity that the table demands. */
async function personFor(route: Route, exchange: Exchange, gateway: Gateway): Promise<Person | undefined | Problem> {
  if (route.identity === 'none') return undefined;
  const need = { audience: route.audience ?? 'cart', sensitive: route.operationClass === 'sensitive', touch: route.live !== true };
  const found = await whoIs(exchange, need, gateway);
  count(found);
  // `whoIs` says "stale" only to a caller that forbids a renewal.
  if (found === 'stale') return problem('identity_unavailable');
  if (isProblem(found)) return found;
  if (found === 'ended') return route.identity === 'maybe' ? undefined : problem('session_ended');
  if (route.identity === 'user' && found?.view.state !== SessionState.USER) return problem('sign_in_required');
  if (route.identity === 'guest' && found === undefined) return problem('session_required');
  return found;
}

/**
 * Touches the session of a person who only browses, because that person is there too. If the session cannot be checked, the answer says whose
 * view it is.
 */
async function publicView(exchange: Exchange, gateway: Gateway): Promise<Record<string, string>> {
  // No renewal here: an answer that anyone may see, and a cache may keep, sets no cookie.
  const need = { audience: 'cart', sensitive: false, touch: true, refresh: false, budgetMs: publicIdentityBudgetMs } as const;
  const found = await whoIs(exchange, need, gateway);
  count(found);
  return isProblem(found) ? { [sessionViewHeader]: `guest; reason=${toldCode(found.problem)}` } : {};
}

function count(found: Person | 'ended' | 'stale' | undefined | Problem): void {
  const decision = found === undefined ? 'none' : typeof found === 'string' ? found : isProblem(found) ? 'unavailable' : found.decision;
  sessionDecisions.inc({ decision });
}

async function handle(route: Route, request: FastifyRequest, exchange: Exchange, gateway: Gateway): Promise<Outcome> {
  const params = parse('path', route.params, request.params);
  if (isProblem(params)) return params;
  const query = parse('query', route.query, request.query);
  if (isProblem(query)) return query;
  const headers = parse('header', route.headers, request.headers);
  if (isProblem(headers)) return headers;
  const body = parse('body', route.body, request.body ?? {});
  if (isProblem(body)) return body;
  return route.handle(exchange, { params, query, headers, body } as never, gateway);
}

function parse(where: string, schema: z.ZodObject | undefined, value: unknown): object | Problem {
  if (schema === undefined) return {};
  const result = schema.safeParse(value);
  // A parsed value may have a field of any name; only ours are Problems.
  return result.success ? result.data : invalid(where, result.error);
}

function send(reply: FastifyReply, begun: Begun, route: Route, outcome: Outcome, gateway: Gateway): FastifyReply {
  const spentMs = gateway.clock.monotonicMs() - begun.startedMs;
  begun.timings.add({ name: 'total', durationMs: spentMs });
  if (route.budgetMs > 0) {
    begun.timings.add({ name: 'budget', durationMs: Math.max(0, route.budgetMs - spentMs), description: `left of ${route.budgetMs} ms` });
  }
  reply.header('server-timing', begun.timings.header());
  if (isProblem(outcome)) {
    const { status, headers, body } = problemAnswer(outcome, begun.trace.traceId);
    return reply.code(status).headers(headers).send(body);
  }
  return sendAnswer(reply, outcome);
}

function sendAnswer(reply: FastifyReply, answered: Answer): FastifyReply {
  const token = answered.consistency ?? answered.reached;
  if (token !== undefined) reply.header('consistency-token', token);
  reply.code(answered.status).headers(answered.headers ?? {});
  if (answered.stream !== undefined) {
    // A span that ended with the stream would come hours late, or never.
    endSpan(reply.request.begun?.span, reply);
    answered.stream(eventSocket(reply));
    return reply;
  }
  if (answered.body === undefined) return reply.send();
  reply.header('content-type', answered.contentType ?? 'application/json; charset=utf-8');
  return reply.send(typeof answered.body === 'string' ? answered.body : JSON.stringify(answered.body));
}

function* cookiesOf(outcome: Outcome, sent: Answered['sent'], gateway: Gateway): Generator<string> {
  const nowMs = gateway.clock.nowMs();
  const { issued, identity } = sent?.renewal ?? {};
  if (outcome.newToken !== undefined) {
    if (outcome.newToken.selfContained !== undefined) gateway.selfContained.noteIssued(outcome.newToken.selfContained.parts);
    yield* tokenCookies(outcome.newToken, nowMs, sent?.cookies);
  } else if (
    issued?.selfContained !== undefined &&
    !('loggedOut' in outcome) &&
    gateway.selfContained.isNewest(issued.selfContained.parts, identity)
  ) {
    // The gateway renewed these tokens on the way. The answer took a while: the browser may have newer cookies by now, which are not
    // overwritten.
    yield* tokenCookies(issued, nowMs, undefined);
  }
  if (isProblem(outcome)) return;
  if (outcome.consistency !== undefined) yield consistencySetCookie(outcome.consistency);
  if (outcome.knownDevice !== undefined) yield knownDeviceSetCookie(outcome.knownDevice);
  if (outcome.loggedOut === true) yield* clearedCookies;
}
