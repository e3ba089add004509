/**
 * Rules for every request, before its body is read: its own names alone, its own page alone, and few bodies at once.
 *
 * A page of another site can make a browser send requests to loopback, under a name of its own that it lets point there (DNS rebinding). Such a
 * request names a foreign Host, or a foreign Origin. It has no key either; these checks come first, so that it is told nothing.
 */
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ObservatoryConfig } from '../config.ts';
import { configToken } from '../injection.ts';
import { KeyGuard, refusalOf } from './key.guard.ts';
import { Refusal, sendRefusal } from './refusal.ts';
import { servePage } from './serve-page.ts';

/** The page needs its own files and its own API, and nothing else. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export const securityHeaders: readonly (readonly [string, string])[] = Object.entries({
  'content-security-policy': contentSecurityPolicy,
  'x-content-type-options': 'nosniff',
  // The key stands in the fragment, which no browser sends. The path may hold a trace id, and a link to the shop need not tell it.
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'x-frame-options': 'DENY',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
  'cache-control': 'no-store',
});

/** Bodies that are read or worked on at once, of 2 MB each at most. An exporter that is told to wait tries again, and a shop has ten of them. */
const bodiesAtOnceMax = 6;

/** Statuses of an export for which there was no place: it is too large, or too many came at once. */
const placeless: ReadonlySet<number> = new Set([413, 429]);

/** The names under which a browser of this machine reaches the port. */
const ownNames = (port: number): readonly string[] => [`localhost:${port}`, `127.0.0.1:${port}`];

export function foreign(request: FastifyRequest): Refusal | undefined {
  const port = request.socket.localPort ?? 0;
  const names = ownNames(port);
  const remedy = `Open http://localhost:${port}.`;
  // Node joins repeated Host headers into none, and keeps the first: so the raw list is asked.
  const hosts = request.raw.rawHeaders.filter((_, index, all) => index % 2 === 1 && all[index - 1]!.toLowerCase() === 'host');
  if (hosts.length !== 1 || !names.includes(hosts[0]!.toLowerCase())) return new Refusal('foreign_host', remedy);
  const { origin } = request.headers;
  if (origin !== undefined && !names.some((name) => origin === `http://${name}`)) return new Refusal('foreign_origin', remedy);
  return undefined;
}

@Injectable()
export class RequestRules implements OnModuleInit {
  private bodies = 0;
  private refused = 0;

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly keys: KeyGuard,
    @Inject(configToken) private readonly config: ObservatoryConfig,
  ) {}

  /** Exports of spans that found no place, since the start. */
  get refusedExports(): number {
    return this.refused;
  }

  /** Nest has registered the routes by now. Fastify gives these hooks to all of them. */
  async onModuleInit(): Promise<void> {
    const server = this.host.httpAdapter.getInstance<FastifyInstance>();
    server.removeAllContentTypeParsers();
    server.addContentTypeParser('application/json', { parseAs: 'string' }, server.getDefaultJsonParser('error', 'error'));
    server.addHook('onRequest', (request, reply, done) => {
      for (const [name, value] of securityHeaders) reply.header(name, value);
      const refusal = foreign(request) ?? this.tooMany(request, reply);
      if (refusal === undefined) done();
      else sendRefusal(reply, refusal);
    });
    server.addHook('onResponse', ({ url }, { statusCode }, done) => {
      if (url === '/v1/traces' && placeless.has(statusCode)) this.refused++;
      done();
    });
    await servePage(server, this.config.OBSERVATORY_WEB_DIR);
  }

  private tooMany(request: FastifyRequest, reply: FastifyReply): Refusal | undefined {
    if (request.method === 'GET' || request.method === 'HEAD') return undefined;
    // A caller without a key gets no slot, or it would hold them all with slow bodies.
    if (!this.keys.opensAny(request.headers.authorization)) return refusalOf(request.url.startsWith('/v1/') ? 'spans' : 'page');
    if (this.bodies >= bodiesAtOnceMax) return new Refusal('too_many_requests', `${bodiesAtOnceMax} bodies are read at once.`);
    this.bodies++;
    reply.raw.once('close', () => this.bodies--);
    return undefined;
  }
}
