/**
 * The HTTP edge below the routes: limits, hooks that every request passes, and one shape for every failure.
 *
 * The order is deliberate, and all of it comes before the body is read. Headers that look like ours are dropped, and an invalid Host is
 * refused. For the API the rate is counted before the origin is judged, so that a flood from another site is counted too. Cookies, the
 * session and the body's fields come after (serve-routes.ts).
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { errorTable, type ErrorCode, lineIdLengthMax, problem, type Problem } from '@cloakroom/contracts';
import { begin } from './request-scope.ts';
import { checkSameOrigin } from './cross-site.ts';
import type { Gateway } from '../gateway.ts';
import { dropLookalikes } from './lookalikes.ts';
import { lookalikeHeaders, requestSeconds } from '../metrics.ts';
import { expectedProblem, problemAnswer } from './problem-answer.ts';
import type { Route } from '../route.ts';
import { routes } from '../routes.ts';
import { securityHeaders } from './security-headers.ts';
import { serveRoutes } from './serve-routes.ts';
import { serveWeb } from './serve-web.ts';
import { shedAtTheDoor, shedOrCount } from './shedding.ts';

/** The largest body that a client has to send holds a cart's `seen` of 500 dots. */
const bodyLengthMax = 64 * 1024;
/** Our cookies need 200 bytes; other software on the host may add its own. */
const headerLengthMax = 16 * 1024;
/** A client that sends its headers or body drop by drop holds only a socket, and not for long. */
const headersTimeoutMs = 10_000;
const requestTimeoutMs = 20_000;
/** Above the idle time of browsers' and proxies' connections, so that they close first. */
const keepAliveTimeoutMs = 72_000;

export function createAdapter(gateway: Gateway): FastifyAdapter {
  return new FastifyAdapter({
    // No Nest middleware here: without its dispatcher a request costs less.
    skipMiddie: true,
    bodyLimit: bodyLengthMax,
    // Anyone can write X-Forwarded-For. The gateway believes it only from a proxy that it knows.
    trustProxy: gateway.config.TRUSTED_PROXIES ?? false,
    // Node would refuse a request without a Host by an answer of its own, which is no problem+json. A hook refuses it instead.
    http: { maxHeaderSize: headerLengthMax, headersTimeout: headersTimeoutMs, requireHostHeader: false },
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    // Live streams would keep close() waiting for ever. Before that, start.ts waits for the requests in flight.
    forceCloseConnections: true,
    // Our own hook says how long a request took; a request is never logged whole.
    logger: false,
    routerOptions: { maxParamLength: lineIdLengthMax, ignoreTrailingSlash: false },
    frameworkErrors: (error: FastifyError, request: unknown, reply: unknown) => {
      const answer = reply as FastifyReply;
      for (const [name, value] of Object.entries(securityHeaders(false))) answer.header(name, value);
      answerFailure(error, request as FastifyRequest, answer, gateway);
    },
    clientErrorHandler: answerBrokenRequest,
  });
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
  server.decorateRequest('begun', undefined);
  // The gateway ignores an expectation that it does not know (RFC 9110 10.1.1). Node would answer a bare 417.
  server.server.on('checkExpectation', (request, response) => server.server.emit('request', request, response));
  addHooks(server, gateway);
  // Outside the scope's routes the answer is 404 or 405 whatever the body is, so nothing reads the body.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (_request, _payload, done) => done(null));
  await server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('application/json', { parseAs: 'string' }, parseJson);
    scope.setErrorHandler<FastifyError>((error, request, reply) => answerFailure(error, request, reply, gateway));
    serveRoutes(scope, routes, gateway);
    if (gateway.config.WEB_DIR !== undefined && gateway.config.WEB_DIR !== '') await serveWeb(scope, gateway.config.WEB_DIR);
  });
}

function addHooks(server: FastifyInstance, gateway: Gateway): void {
  const origins = new Set(gateway.config.PUBLIC_ORIGINS);
  const constant = Object.entries({
    ...securityHeaders([...origins].every((origin) => origin.startsWith('https:'))),
    'x-gateway': `gateway-${gateway.config.REPLICA}`,
  });
  server.addHook('onRequest', async (request, reply) => {
    for (const [name, value] of constant) reply.header(name, value);
    request.begun = begin(request, reply, gateway.randomBytes, gateway.clock.monotonicMs());
    // W3C Trace Context, level 2: a good answer names its trace too, as a problem does in its body.
    reply.header('traceresponse', request.begun.trace.traceparent);
    const dropped = dropLookalikes(request.raw.headers, request.raw.rawHeaders);
    if (dropped > 0) lookalikeHeaders.inc(dropped);
    if (gateway.stopping()) reply.header('connection', 'close');
    if (!namesOneHost(request.raw)) return sendProblem(reply, problem('invalid_request', 'A request names one Host.'), request);
    const unknown = takesMethod(request) ? undefined : methodNotAllowed(request, reply);
    if (!isOfApi(request)) return unknown === undefined ? undefined : sendProblem(reply, unknown, request);
    const limited = await gateway.limits.request(request.ip);
    if (limited !== undefined) return sendProblem(reply, limited, request);
    const tooMuch = shedAtTheDoor(request, reply, gateway.shedder);
    if (tooMuch !== undefined) return sendProblem(reply, tooMuch, request);
    if (unknown !== undefined) return sendProblem(reply, unknown, request);
    const crossSite = checkSameOrigin(
      { method: request.method, origin: request.headers.origin, fetchSite: oneOf(request.headers['sec-fetch-site']) },
      origins,
    );
    if (crossSite !== undefined) return sendProblem(reply, crossSite, request);
  });
  server.addHook('preHandler', async (request, reply) => {
    const tooMuch = isOfApi(request) ? shedOrCount(request, reply, gateway.shedder) : undefined;
    if (tooMuch !== undefined) return sendProblem(reply, tooMuch, request);
  });
  server.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown';
    if (route === '/api/events' || request.begun === undefined) return;
    const seconds = (gateway.clock.monotonicMs() - request.begun.startedMs) / 1000;
    const labels = { method: request.method, route, status: String(reply.statusCode) };
    requestSeconds.observe(labels, seconds);
    gateway.log.debug({ ...labels, seconds, trace_id: request.begun.trace.traceId }, 'answered');
  });
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

export function sendProblem(reply: FastifyReply, found: Problem, request: FastifyRequest): FastifyReply {
  const { status, headers, body } = problemAnswer(found, request.begun?.trace.traceId);
  return reply.code(status).headers(headers).send(body);
}

/** Answers every failure that does not come from a use case: Fastify's own, Nest's, and surprises. */
export function answerFailure(error: unknown, request: FastifyRequest, reply: FastifyReply, gateway: Gateway): FastifyReply {
  const expected = expectedProblem(error);
  if (expected === undefined) {
    const where = { method: request.method, route: request.routeOptions?.url, trace_id: request.begun?.trace.traceId };
    gateway.log.error({ err: error, ...where }, 'a request failed in a way that nobody expected');
  }
  const found = expected?.problem === 'not_found' ? missing(request, reply) : expected;
  return sendProblem(reply, found ?? problem('internal'), request);
}

/** If the address exists under other methods, the answer names them (RFC 9110 15.5.6). */
function missing(request: FastifyRequest, reply: FastifyReply): Problem {
  const methods = methodsAt(request);
  return methods.size === 0 || methods.has(request.method) ? problem('not_found') : methodNotAllowed(request, reply);
}

/** No route and no page takes any other method. Fastify would ask for a body with some of those, and fail. */
const knownMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/**
 * Paths without a parameter, and their methods. Such a path matches itself alone, though a pattern beside it would take its last word for an
 * id.
 */
const writtenOut: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  [...Map.groupBy(routes, ({ path }) => path)].filter(([path]) => !path.includes('{')).map(([path, same]) => [path, methodsOf(same)]),
);

const takesMethod = (request: FastifyRequest): boolean =>
  knownMethods.has(request.method) && writtenOut.get(pathOf(request))?.has(request.method) !== false;

function methodNotAllowed(request: FastifyRequest, reply: FastifyReply): Problem {
  const methods = methodsAt(request);
  // An address outside the table has a page, or nothing.
  reply.header('allow', [...(methods.size === 0 ? ['GET', 'HEAD'] : methods)].join(', '));
  return problem('method_not_allowed');
}

function methodsAt(request: FastifyRequest): ReadonlySet<string> {
  const path = pathOf(request);
  return writtenOut.get(path) ?? methodsOf(routes.filter((route) => patternOf(route.path).test(path)));
}

function methodsOf(some: readonly Route[]): ReadonlySet<string> {
  return new Set(some.flatMap(({ method, live }) => (method === 'GET' && live !== true ? ['GET', 'HEAD'] : [method])));
}

const pathOf = (request: FastifyRequest): string => request.url.split('?', 1)[0]!;

const patternOf = (path: string): RegExp => new RegExp(`^${path.replaceAll('.', String.raw`\.`).replaceAll(/\{\w+\}/g, '[^/]+')}$`);

/**
 * A request that Node's parser refused has no request object, so the answer is written by hand
 * (https://nodejs.org/api/http.html#event-clienterror).
 */
function answerBrokenRequest(error: { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const code: ErrorCode = error.code === 'HPE_HEADER_OVERFLOW' ? 'headers_too_large' : 'invalid_request';
  const { status, headers, body } = problemAnswer(problem(code));
  const lines = Object.entries({
    ...securityHeaders(false),
    ...headers,
    'content-length': String(body.length),
    connection: 'close',
  });
  socket.end(
    `HTTP/1.1 ${status} ${reasonOf(status)}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body.toString()}`,
  );
}

const reasonOf = (status: number): string =>
  status === errorTable.headers_too_large.http ? 'Request Header Fields Too Large' : 'Bad Request';
