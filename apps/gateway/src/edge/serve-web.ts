/**
 * Serves the built web app on the gateway's own origin, so one strict content policy fits both, and cookies need no cross-origin rules.
 *
 * A file with a hash in its name never changes, and browsers keep it for ever. They ask again each time for everything else, the page itself
 * first.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { problem } from '@cloakroom/contracts';
import { isPageFile, pagePathOf } from '@cloakroom/platform';

const immutableMaxAgeS = 31_536_000;

export async function serveWeb(server: FastifyInstance, dir: string): Promise<void> {
  // Read once at start: a missing build must fail there, not at the first visitor.
  const page = await readFile(join(dir, 'index.html'));
  // Not awaited: Fastify would begin to load, and give the routes its own error handler before Nest has set ours.
  void server.register(fastifyStatic, { root: dir, serve: false, cacheControl: false, etag: true, lastModified: false });
  const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const path = pagePathOf(request.url);
    if (path === undefined || isReserved(path)) throw problem('not_found');
    if (path !== '/' && path !== '/index.html' && (await isPageFile(dir, path))) {
      const hashed = path.startsWith('/assets/');
      reply.header('cache-control', hashed ? `public, max-age=${immutableMaxAgeS}, immutable` : 'no-cache');
      return reply.sendFile(path);
    }
    // A path without an extension is a page of the app, whose own router knows it; a missing file is missing.
    if (/\.[a-z0-9]+$/i.test(path) && path !== '/index.html') throw problem('not_found');
    return answerPage(reply, page);
  };
  // A span is named by its pattern. So the Observatory tells a page that was loaded from a picture that a page asked for later.
  for (const pattern of ['/*', '/assets/*', '/images/*']) server.get(pattern, answer);
}

function answerPage(reply: FastifyReply, page: Buffer): FastifyReply {
  return reply.header('cache-control', 'no-cache').type('text/html; charset=utf-8').send(page);
}

/** An address of the API answers as the API, never with a page. */
const isReserved = (path: string): boolean =>
  /^\/(api|api-docs|\.well-known)(\/|$)/.test(path) || /^\/(healthz|readyz|metrics|openapi\.json)$/.test(path);
