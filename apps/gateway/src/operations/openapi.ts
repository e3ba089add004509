/** The list of routes as an OpenAPI 3.1 document. */
import { consistencyTokenPattern, type ErrorCode, errorTable } from '@cloakroom/contracts';
import { z } from 'zod';
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject, type ZodOpenApiResponseObject } from 'zod-openapi';
import { problemSchema, problemType } from '../problem-schema.ts';
import type { GatewayConfig } from '../config.ts';
import type { RouteList } from '../edge/route-list.ts';
import type { Outcome } from '../http-exchange.ts';
import type { AnswerShape, Route } from '../route.ts';

export function readDocument({ routes, config }: { readonly routes: RouteList; readonly config: GatewayConfig }): Outcome {
  return { status: 200, body: describeRoutes(routes.all, config.PUBLIC_ORIGINS) };
}

export type OpenApiDocument = ReturnType<typeof createDocument>;

export function describeRoutes(routes: readonly Route[], origins: readonly string[]): OpenApiDocument {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const route of routes) {
    paths[route.path] ??= {};
    paths[route.path]![route.method.toLowerCase()] = operationOf(route);
  }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Cloakroom',
      version: '0.1.0',
      description:
        'Errors are RFC 9457 problem+json with a stable `code`. Unsafe methods need a same-origin `Origin` or `Sec-Fetch-Site: same-origin` and ' +
        '`application/json`. `Server-Timing` names the session decision, each hop and the budget left. Amounts are integers in minor units.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: origins.map((url) => ({ url })),
    components: {
      securitySchemes: { session: { type: 'apiKey', in: 'cookie', name: '__Host-session', description: 'An opaque reference token.' } },
    },
    paths: paths as ZodOpenApiPathsObject,
  });
}

function operationOf(route: Route): ZodOpenApiOperationObject {
  const readsSession = route.identity === 'guest' || route.identity === 'user';
  return {
    summary: route.summary,
    operationId: operationIdOf(route),
    tags: [route.operationClass],
    ...(readsSession && { security: [{ session: [] }] }),
    requestParams: {
      ...(route.params !== undefined && { path: route.params }),
      ...(route.query !== undefined && { query: route.query }),
      ...headersOf(route),
    },
    ...(route.body !== undefined && { requestBody: { required: true, content: { 'application/json': { schema: route.body } } } }),
    responses: {
      ...problemsOf(route),
      ...Object.fromEntries(Object.entries(route.answers).map(([status, shape]) => [status, responseOf(shape)])),
    },
    'x-budget-ms': route.budgetMs,
    'x-identity': route.identity,
  } as ZodOpenApiOperationObject;
}

function headersOf(route: Route): { readonly header?: z.ZodObject } {
  const readsCart = (route.operationClass === 'cart' && route.method === 'GET') || (route.audience === 'orders' && route.method === 'POST');
  const shape = { ...route.headers?.shape, ...(readsCart && consistencyHeader.shape) };
  return Object.keys(shape).length === 0 ? {} : { header: z.object(shape) };
}

const consistencyHeader = z.object({
  'Consistency-Token': z.string().optional().meta({
    description: 'The newest that any answer gave you. Where the cookie is newer, and of this cart, that counts.',
    pattern: consistencyTokenPattern.source,
  }),
});

/** The position of the view that the cart was read from. */
const readHeaders = z.object({ 'Consistency-Token': z.string().optional() });

const traceHeaders = z.object({
  Traceresponse: z.string().meta({
    description: 'The trace of this request (W3C Trace Context, level 2): 00-<trace id>-<span id>-<flags>. The logs say it as `trace_id`.',
  }),
});

function responseOf(shape: AnswerShape): ZodOpenApiResponseObject {
  const headers = z.object({
    'Server-Timing': z.string(),
    ...traceHeaders.shape,
    ...(shape.consistency === 'write' && { 'Consistency-Token': z.string() }),
    ...(shape.consistency === 'read' && readHeaders.shape),
    ...(shape.setsSession === true && { 'Set-Cookie': z.string().optional() }),
  });
  return {
    description: shape.description,
    headers,
    ...(shape.schema !== undefined && { content: { [shape.contentType ?? 'application/json']: { schema: shape.schema } } }),
  };
}

/** Lists the codes that a route may answer: those it names, and those that follow from its needs. */
export function codesOf(route: Route): ErrorCode[] {
  const codes = new Set<ErrorCode>(route.errors);
  const add = (...more: ErrorCode[]): void => more.forEach((code) => codes.add(code));
  if (route.operationClass === 'operations') add('unavailable', 'deadline_exceeded', 'invalid_request', 'headers_too_large');
  else
    add('ambiguous_cookies', 'too_many_requests', 'headers_too_large', 'internal', 'unavailable', 'deadline_exceeded', 'invalid_request');
  // A parameter that is no id, or longer than any id, makes another address.
  if (route.params !== undefined) add('not_found');
  if (route.method !== 'GET') add('cross_site_request', 'unsupported_media_type', 'payload_too_large');
  if (route.identity === 'guest') add('session_required', 'session_ended');
  if (route.identity === 'first-write') add('session_ended');
  if (route.identity === 'user') add('sign_in_required', 'session_ended');
  if (route.identity !== 'none' || route.operationClass === 'login') add('identity_unavailable', 'home_region_unreachable');
  return [...codes];
}

function problemsOf(route: Route): Record<string, ZodOpenApiResponseObject> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codesOf(route)) {
    const { http } = errorTable[code];
    byStatus.set(http, [...(byStatus.get(http) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      String(status),
      {
        description: codes.map((code) => `\`${code}\``).join(', '),
        // This problem carries the cart as it is now, and so the position that it was read at.
        headers: codes.includes('cart_changed') ? traceHeaders.extend(readHeaders.shape) : traceHeaders,
        content: { [problemType]: { schema: problemSchema } },
      },
    ]),
  );
}

/** For example getApiCart, deleteApiSessionDevicesHandle. */
function operationIdOf(route: Route): string {
  const words = route.path.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  return route.method.toLowerCase() + words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('');
}
