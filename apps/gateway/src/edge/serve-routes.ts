/** The routes that have no controller yet: the guard, the schemas, the use case, the answer. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isProblem, type Problem } from '@cloakroom/contracts';
import type { z } from 'zod';
import type { Exchange, Outcome } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import type { TableRoute } from '../route.ts';
import { sendOutcome } from './http-adapter.ts';
import { admit } from './policy.guard.ts';
import { invalid } from './problem-answer.ts';

export function serveRoutes(server: FastifyInstance, routes: readonly TableRoute[], gateway: Gateway): void {
  for (const route of routes) {
    server.route({
      method: route.method,
      url: route.path.replaceAll(/\{(\w+)\}/g, ':$1'),
      config: { policy: route },
      handler: async (request, reply) => {
        await admit(request, gateway);
        sendOutcome(reply, await handle(route, request, request.exchange!, gateway));
        return reply;
      },
    });
  }
}

async function handle(route: TableRoute, request: FastifyRequest, exchange: Exchange, gateway: Gateway): Promise<Outcome> {
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
  return result.success ? result.data : invalid(where, result.error.issues);
}
