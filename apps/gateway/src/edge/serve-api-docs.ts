/**
 * `/api-docs`: /openapi.json as pages, by swagger-ui. It is for a shop on one's own machine. The viewer is a large script of others, and on the
 * shop's origin it could do whatever the person can. So production has no such page; any viewer can be pointed at its /openapi.json.
 *
 * The content policy stays as it is: no inline script and no foreign origin. So the page's own few lines are a file too.
 */
import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { FastifyInstance } from 'fastify';

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Cloakroom: the HTTP API</title>
    <link rel="stylesheet" href="/api-docs/swagger-ui.css" />
    <link rel="icon" href="data:," />
  </head>
  <body>
    <main id="api">The description of the API is being read.</main>
    <script src="/api-docs/swagger-ui-bundle.js" defer></script>
    <script src="/api-docs/show.js" type="module"></script>
  </body>
</html>
`;

/** The document names every origin of the shop. "Try it out" may ask the page's own alone, and that is the gateway that answered. */
const show = `const document = await (await fetch('/openapi.json')).json();
globalThis.SwaggerUIBundle({
  spec: { ...document, servers: [{ url: location.origin }] },
  dom_id: '#api',
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: -1,
  validatorUrl: null,
});
`;

const scripts = 'text/javascript; charset=utf-8';
const files = { 'swagger-ui.css': 'text/css; charset=utf-8', 'swagger-ui-bundle.js': scripts } as const;

export function serveApiDocs(server: FastifyInstance): void {
  const dir = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  server.get('/api-docs', (_request, reply) => reply.type('text/html; charset=utf-8').send(page));
  server.get('/api-docs/show.js', (_request, reply) => reply.type(scripts).send(show));
  for (const [name, type] of Object.entries(files))
    server.get(`/api-docs/${name}`, (_request, reply) => reply.type(type).send(createReadStream(join(dir, name))));
}
