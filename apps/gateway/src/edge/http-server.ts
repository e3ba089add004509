/**
 * The HTTP edge below the routes: hooks that every request passes, and what an address without a route is told.
 *
 * The order is deliberate, and all of it comes before the body is read. Headers that look like ours are dropped, and an invalid Host is
 * refused. For the API the rate is counted before the origin is judged, so that a flood from another site is counted too. Cookies, the
 * session and the body's fields come after (policy.guard.ts).
 */
import type { IncomingMessage } from 'node:http';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { problem, type Problem } from '@cloakroom/contracts';
import { Addresses } from './addresses.ts';
import { begin, finish, sessionViewHeader } from './request-scope.ts';
import { checkSameOrigin } from './cross-site.ts';
import type { Gateway } from '../gateway.ts';
import { dropLookalikes } from './lookalikes.ts';
import { lookalikeHeaders, requestSeconds } from '../metrics.ts';
import { answerFailure, sendProblem } from './problem-answer.ts';
import { allRoutes, routes } from '../routes.ts';
import { securityHeaders } from './security-headers.ts';
import { serveRoutes } from './serve-routes.ts';
import { serveWeb } from './serve-web.ts';
import { shedAtTheDoor, shedOrCount } from './shedding.ts';

declare module 'fastify' {
  interface FastifyReply {
    /** Writes what every answer carries at its end (request-scope.ts). */
    finish(): void;
  }
}

/** @returns how many requests are in flight, live streams included */
export function countRequests(server: FastifyInstance): () => number {
  let count = 0;
  // Counts down when the response closes, which happens for a hijacked and for an aborted answer too.
  server.addHook('onRequest', async (_request, reply) => {
    count++;
    reply.raw.once('close', () => count--);
  });
  return () => count;
}

/** Adds the hooks and routes. This comes before Nest's own init, so that Nest's not-found answer passes the hooks too. */
export async function prepareServer(server: FastifyInstance, gateway: Gateway): Promise<void> {
  server.decorateRequest('exchange', undefined);
  server.decorateReply('finish', function (this: FastifyReply) {
    finish(this, gateway);
  });
  // The gateway ignores an expectation that it does not know (RFC 9110 10.1.1). Node would answer a bare 417.
  server.server.on('checkExpectation', (request, response) => server.server.emit('request', request, response));
  addHooks(server, gateway, new Addresses(allRoutes));
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'string' }, parseJson);
  await server.register(async (scope) => {
    scope.setErrorHandler<FastifyError>((error, request, reply) => answerFailure(error, request, reply, gateway.log));
    serveRoutes(scope, routes, gateway);
    if (gateway.config.WEB_DIR !== undefined && gateway.config.WEB_DIR !== '') await serveWeb(scope, gateway.config.WEB_DIR);
  });
}

// oxlint-disable-next-line max-lines-per-function -- Longer because it is one list, in the order in which a request passes it.
function addHooks(server: FastifyInstance, gateway: Gateway, addresses: Addresses): void {
  const origins = new Set(gateway.config.PUBLIC_ORIGINS);
  const constant = Object.entries({
    ...securityHeaders([...origins].every((origin) => origin.startsWith('https:'))),
    'x-gateway': `gateway-${gateway.config.REPLICA}`,
  });
  server.addHook('onRequest', async (request, reply) => {
    for (const [name, value] of constant) reply.header(name, value);
    request.exchange = begin(request, reply, gateway.randomBytes, gateway.clock);
    // W3C Trace Context, level 2: a good answer names its trace too, as a problem does in its body.
    reply.header('traceresponse', request.exchange.trace.traceparent);
    const dropped = dropLookalikes(request.raw.headers, request.raw.rawHeaders);
    if (dropped > 0) lookalikeHeaders.inc(dropped);
    if (gateway.stopping()) reply.header('connection', 'close');
    if (!namesOneHost(request.raw)) return refuse(reply, problem('invalid_request', 'A request names one Host.'));
    const unknown = addresses.takesMethod(request) ? undefined : methodNotAllowed(reply, addresses);
    if (!isOfApi(request)) {
      const missing = unknown ?? missingAt(request, reply, addresses);
      return missing === undefined ? undefined : refuse(reply, missing);
    }
    const limited = await gateway.limits.request(request.ip);
    if (limited !== undefined) return refuse(reply, limited);
    const tooMuch = shedAtTheDoor(request, reply, gateway.shedder);
    if (tooMuch !== undefined) return refuse(reply, tooMuch);
    if (unknown !== undefined) return refuse(reply, unknown);
    const crossSite = checkSameOrigin(
      { method: request.method, origin: request.headers.origin, fetchSite: oneOf(request.headers['sec-fetch-site']) },
      origins,
    );
    if (crossSite !== undefined) return refuse(reply, crossSite);
    const missing = missingAt(request, reply, addresses);
    if (missing !== undefined) return refuse(reply, missing);
  });
  server.addHook('preHandler', async (request, reply) => {
    const tooMuch = isOfApi(request) ? shedOrCount(request, reply, gateway.shedder) : undefined;
    if (tooMuch !== undefined) return refuse(reply, tooMuch);
  });
  server.addHook('onSend', (request, reply, payload, done) => {
    const view = request.exchange?.sessionView;
    const end = (): void => {
      reply.finish();
      done(null, payload);
    };
    if (view === undefined) return end();
    view.then((value) => {
      if (value !== undefined) reply.header(sessionViewHeader, value);
      end();
    }, done);
  });
  server.addHook('onResponse', async (request, reply) => {
    const { exchange } = request;
    const route = request.routeOptions.url ?? 'unknown';
    if (route === '/api/events' || exchange === undefined) return;
    const seconds = (gateway.clock.monotonicMs() - exchange.startedMs) / 1000;
    const labels = { method: request.method, route, status: String(reply.statusCode) };
    requestSeconds.observe(labels, seconds);
    gateway.log.debug({ ...labels, seconds, trace_id: exchange.trace.traceId }, 'answered');
  });
}

/** A hook that has answered returns the reply, so that Fastify goes no further. */
function refuse(reply: FastifyReply, found: Problem): FastifyReply {
  sendProblem(reply, found);
  return reply;
}

/**
 * Answers an address without a route before its body is read, whatever that is. If the address exists under other methods, the answer names
 * them (RFC 9110 15.5.6).
 */
function missingAt(request: FastifyRequest, reply: FastifyReply, addresses: Addresses): Problem | undefined {
  if (request.routeOptions.config.policy !== undefined) return undefined;
  const methods = addresses.methodsAt(request);
  if (methods.size > 0 && !methods.has(request.method)) return methodNotAllowed(reply, addresses);
  // A page, or a file of it.
  return request.is404 ? problem('not_found') : undefined;
}

function methodNotAllowed(reply: FastifyReply, addresses: Addresses): Problem {
  const methods = addresses.methodsAt(reply.request);
  // An address without a route has a page, or nothing.
  reply.header('allow', [...(methods.size === 0 ? ['GET', 'HEAD'] : methods)].join(', '));
  return problem('method_not_allowed');
}

/** Parsers on the way disagree about which of two Hosts counts (RFC 9112 3.2). HTTP/1.0 needs none. */
function namesOneHost({ httpVersion, rawHeaders }: IncomingMessage): boolean {
  const count = rawHeaders.filter((text, at) => at % 2 === 0 && text.toLowerCase() === 'host').length;
  return count === 1 || (count === 0 && httpVersion === '1.0');
}

/**
 * The route that the router found decides, because the router also takes `/%61pi/...` and `http://host/api/...` for ours. An address without
 * a route is judged by its spelling.
 */
const isOfApi = (request: FastifyRequest): boolean =>
  request.routeOptions.url?.startsWith('/api/') === true || request.url.startsWith('/api/');

const oneOf = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value.join(',') : value);

/** A bodiless request may still say application/json. */
function parseJson(_request: FastifyRequest, text: string | Buffer, done: (error: Error | null, body?: unknown) => void): void {
  if (text.length === 0) return done(null, undefined);
  let body: unknown;
  try {
    body = JSON.parse(text.toString());
  } catch {
    return done(Object.assign(new Error('malformed JSON'), { code: 'FST_ERR_CTP_INVALID_JSON_BODY' }));
  }
  done(null, body);
}
