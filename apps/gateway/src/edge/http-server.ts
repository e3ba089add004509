/**
 * The HTTP edge below the routes: hooks that every request passes, and what an address without a route is told.
 *
 * The order is deliberate, and all of it comes before the body is read. Headers that look like ours are dropped, and an invalid Host is
 * refused. For the API the rate is counted before the origin is judged, so that a flood from another site is counted too. Cookies, the
 * session and the body's fields come after (policy.guard.ts).
 */
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { problem, type Problem } from '@cloakroom/contracts';
import type { LoadShedder } from '@cloakroom/mesh';
import type { GatewayConfig } from '../config.ts';
import type { GatewayParts, IdentityParts } from '../gateway.ts';
import { configToken, identityToken, limitsToken, partsToken, shedderToken } from '../injection.ts';
import { experimentOf, isLocal } from './experiment.ts';
import { begin, finish, sessionViewHeader } from './request-scope.ts';
import { checkSameOrigin, dropLookalikes, namesOneHost } from './header-rules.ts';
import { lookalikeHeaders, requestSeconds } from '../metrics.ts';
import { sendProblem } from './problem-answer.ts';
import { type AddressLimits, shedAtTheDoor, shedOrCount } from './limits.ts';
import { RouteList } from './route-list.ts';
import type { Route } from '../route.ts';
import { securityHeaders } from './security-headers.ts';
import { serveApiDocs } from './serve-api-docs.ts';
import { serveWeb } from './serve-web.ts';

declare module 'fastify' {
  interface FastifyReply {
    /** Writes what every answer carries at its end (request-scope.ts). */
    finish(): void;
  }
}

/**
 * How long requests in flight may take to finish once the process was asked to stop. Above most budgets, and below the supervisor's patience.
 */
const drainTimeoutMs = 4_000;
const drainLookIntervalMs = 20;

@Injectable()
export class HttpServer implements OnModuleInit {
  /** True once the process was asked to stop: /readyz says no before anything is closed. */
  stopping = false;
  private inFlight = 0;

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly routes: RouteList,
    @Inject(configToken) private readonly config: GatewayConfig,
    @Inject(partsToken) private readonly parts: GatewayParts,
    @Inject(identityToken) private readonly identity: IdentityParts,
    @Inject(limitsToken) private readonly limits: AddressLimits,
    @Inject(shedderToken) private readonly shedder: LoadShedder,
  ) {}

  /** Nest has registered the routes by now, and its own answers to failures come after. Fastify gives these hooks to all of them. */
  async onModuleInit(): Promise<void> {
    const server = this.host.httpAdapter.getInstance<FastifyInstance>();
    const { identity } = this;
    server.decorateRequest('exchange', undefined);
    server.decorateReply('finish', function (this: FastifyReply) {
      finish(this, identity);
    });
    // The gateway ignores an expectation that it does not know (RFC 9110 10.1.1). Node would answer a bare 417.
    server.server.on('checkExpectation', (request, response) => server.server.emit('request', request, response));
    server.removeAllContentTypeParsers();
    server.addContentTypeParser('application/json', { parseAs: 'string' }, parseJson);
    this.addRequestHooks(server, new Addresses(this.routes.all));
    this.addAnswerHooks(server);
    if (isLocal(this.config)) serveApiDocs(server);
    if (this.config.WEB_DIR !== undefined && this.config.WEB_DIR !== '') await serveWeb(server, this.config.WEB_DIR);
  }

  /** Resolves when no request is in flight any more, live streams included, or when they have had their time. */
  async drained(): Promise<void> {
    const { clock } = this.parts;
    const endMs = clock.monotonicMs() + drainTimeoutMs;
    while (this.inFlight > 0 && clock.monotonicMs() < endMs) await new Promise((resolve) => setTimeout(resolve, drainLookIntervalMs));
  }

  private addRequestHooks(server: FastifyInstance, addresses: Addresses): void {
    const origins = new Set(this.config.PUBLIC_ORIGINS);
    const local = isLocal(this.config);
    const constant = Object.entries({
      ...securityHeaders([...origins].every((origin) => origin.startsWith('https:'))),
      'x-gateway': `gateway-${this.config.REPLICA}`,
    });
    server.addHook('onRequest', async (request, reply) => {
      this.count(reply);
      for (const [name, value] of constant) reply.header(name, value);
      request.exchange = begin(request, reply, this.parts, local ? experimentOf(request.headers) : undefined);
      // W3C Trace Context, level 2: a good answer names its trace too, as a problem does in its body.
      reply.header('traceresponse', request.exchange.trace.traceparent);
      const dropped = dropLookalikes(request.raw.headers, request.raw.rawHeaders);
      if (dropped > 0) lookalikeHeaders.inc(dropped);
      if (this.stopping) reply.header('connection', 'close');
      if (!namesOneHost(request.raw)) return refuse(reply, problem('invalid_request', 'A request names one Host.'));
      const unknown = addresses.takesMethod(request) ? undefined : methodNotAllowed(reply, addresses);
      if (!isOfApi(request)) {
        const missing = unknown ?? missingAt(request, reply, addresses);
        return missing === undefined ? undefined : refuse(reply, missing);
      }
      const limited = await this.limits.request(request.ip);
      if (limited !== undefined) return refuse(reply, limited);
      const tooMuch = shedAtTheDoor(request, reply, this.shedder);
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
    server.addHook('preHandler', (request, reply, done) => {
      const tooMuch = isOfApi(request) ? shedOrCount(request, reply, this.shedder) : undefined;
      if (tooMuch === undefined) return done();
      sendProblem(reply, tooMuch);
    });
  }

  private addAnswerHooks(server: FastifyInstance): void {
    const { clock, log } = this.parts;
    server.addHook('onSend', (request, reply, payload, done) => {
      const view = request.exchange?.sessionView;
      if (view === undefined) {
        reply.finish();
        return done(null, payload);
      }
      // Fastify handles what a returned promise throws. A throw after `done` inside of `then` would end the process.
      return view.then(
        (value) => {
          if (value !== undefined) reply.header(sessionViewHeader, value);
          reply.finish();
          return payload;
        },
        (error: unknown) => {
          // The answer to this failure passes here too, and must not wait for the same view.
          request.exchange!.sessionView = undefined;
          throw error;
        },
      );
    });
    server.addHook('onResponse', (request, reply, done) => {
      done();
      const { exchange } = request;
      if (exchange === undefined || exchange.policy?.live === true) return;
      const route = exchange.route ?? 'unknown';
      const seconds = (clock.monotonicMs() - exchange.startedMs) / 1000;
      const labels = { method: request.method, route, status: String(reply.statusCode) };
      requestSeconds.observe(labels, seconds);
      log.debug({ ...labels, seconds, trace_id: exchange.trace.traceId }, 'answered');
    });
  }

  /** Counts down when the response closes, which happens for a hijacked and for an aborted answer too. */
  private count(reply: FastifyReply): void {
    this.inFlight++;
    reply.raw.on('close', () => this.inFlight--);
  }
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
  if (request.exchange?.policy !== undefined) return undefined;
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

/**
 * The route that the router found decides, because the router also takes `/%61pi/...` and `http://host/api/...` for ours. An address without
 * a route is judged by its spelling.
 */
const isOfApi = (request: FastifyRequest): boolean =>
  request.exchange?.route?.startsWith('/api/') === true || request.url.startsWith('/api/');

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

/** No route and no page takes any other method. Fastify would ask for a body with some of those, and fail. */
const knownMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

type Methods = ReadonlySet<string>;

/** Knows which methods an address takes, from the list of routes (RFC 9110 10.2.1, Allow). */
class Addresses {
  /**
   * Paths without a parameter, and their methods. Such a path matches itself alone, though a pattern beside it would take its last word for
   * an id.
   */
  private readonly writtenOut: ReadonlyMap<string, Methods>;
  private readonly patterns: readonly { readonly pattern: RegExp; readonly route: Route }[];

  constructor(routes: readonly Route[]) {
    const byPath = [...Map.groupBy(routes, ({ path }) => path)];
    this.writtenOut = new Map(byPath.filter(([path]) => !path.includes('{')).map(([path, same]) => [path, methodsOf(same)]));
    this.patterns = routes.map((route) => ({ pattern: patternOf(route.path), route }));
  }

  /** False only where this very address is written out, and without that method. A pattern's methods are the router's to judge. */
  takesMethod(request: FastifyRequest): boolean {
    if (!knownMethods.has(request.method)) return false;
    // However the address is written: the router adds HEAD to every GET, and a live stream has none.
    if (request.method === 'HEAD' && request.exchange?.policy?.live === true) return false;
    return this.writtenOut.get(pathOf(request))?.has(request.method) !== false;
  }

  methodsAt(request: FastifyRequest): Methods {
    const path = pathOf(request);
    return this.writtenOut.get(path) ?? methodsOf(this.patterns.filter(({ pattern }) => pattern.test(path)).map(({ route }) => route));
  }
}

function methodsOf(routes: readonly Route[]): Methods {
  return new Set(routes.flatMap(({ method, live }) => (method === 'GET' && live !== true ? ['GET', 'HEAD'] : [method])));
}

const pathOf = (request: FastifyRequest): string => request.url.split('?', 1)[0]!;

const patternOf = (path: string): RegExp => new RegExp(`^${path.replaceAll('.', String.raw`\.`).replaceAll(/\{\w+\}/g, '[^/]+')}$`);
