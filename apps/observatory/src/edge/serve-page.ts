/** Serves the built page. It holds no secret, so it needs no key; each question that it asks does. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import { isPageFile, pagePathOf } from '@cloakroom/platform/process-life';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { Refusal } from './refusal.ts';

const immutableMaxAgeS = 31_536_000;
const notBuilt = new Refusal('page_not_built', 'Build it with: npx nx run @cloakroom/observatory:build');

export async function servePage(server: FastifyInstance, dir: string): Promise<void> {
  const built = dir !== '' && existsSync(join(dir, 'index.html'));
  const page = built ? await readFile(join(dir, 'index.html')) : undefined;
  // Not awaited: Fastify would begin to load, and give the routes its own error handler before Nest has set ours.
  if (built) void server.register(fastifyStatic, { root: dir, serve: false, cacheControl: false, etag: true, lastModified: false });
  server.get('/*', async (request, reply) => {
    const path = pagePathOf(request.url);
    if (path === undefined || /^\/(api|v1)(\/|$)/.test(path)) throw new Refusal('not_found', 'The page is at /, and its API below /api.');
    if (page === undefined) throw notBuilt;
    if (path !== '/' && path !== '/index.html' && (await isPageFile(dir, path))) {
      reply.header('cache-control', path.startsWith('/assets/') ? `public, max-age=${immutableMaxAgeS}, immutable` : 'no-cache');
      return reply.sendFile(path);
    }
    // A path without an extension is a view of the page, whose own router knows it; a missing file is missing.
    if (/\.[a-z0-9]+$/i.test(path) && path !== '/index.html') throw new Refusal('not_found', 'The page has no such file.');
    return answerPage(reply, page);
  });
}

function answerPage(reply: FastifyReply, page: Buffer): FastifyReply {
  return reply.header('cache-control', 'no-cache').type('text/html; charset=utf-8').send(page);
}
