/**
 * Every refusal of the Observatory: RFC 9457 problem+json with a stable code, and a detail that says what to do. Its codes are its own, since
 * it is no part of the shop and no client of the shop ever meets one.
 */
import type { FastifyReply } from 'fastify';

const table = {
  invalid_request: { status: 400, title: 'The request is not valid.' },
  key_required: { status: 401, title: 'This needs the key of this start.' },
  span_key_required: { status: 401, title: 'Spans need the span key of this start.' },
  foreign_host: { status: 403, title: 'The Observatory answers under its own names alone.' },
  foreign_origin: { status: 403, title: 'The Observatory answers its own page alone.' },
  not_found: { status: 404, title: 'There is nothing at this address.' },
  method_not_allowed: { status: 405, title: 'This address does not know that method.' },
  cannot_act: { status: 409, title: 'The supervisor does not do that.' },
  payload_too_large: { status: 413, title: 'The request is too large.' },
  unsupported_media_type: { status: 415, title: 'Send application/json.' },
  too_many_requests: { status: 429, title: 'Too much at once. Try again in a second.' },
  internal: { status: 500, title: 'Something went wrong in the Observatory. The shop is not touched.' },
  labs_unreadable: { status: 503, title: 'The labs could not be read.' },
  log_unreadable: { status: 503, title: 'The event log could not be read.' },
  page_not_built: { status: 503, title: "The Observatory's page is not built." },
  ocean_away: { status: 503, title: 'The ocean does not answer.' },
  no_supervisor: { status: 503, title: 'No supervisor answers.' },
} as const satisfies Record<string, { readonly status: number; readonly title: string }>;

export type RefusalCode = keyof typeof table;

export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: RefusalCode;
  readonly detail: string;

  constructor(code: RefusalCode, detail: string) {
    super(code);
    this.code = code;
    this.detail = detail;
  }
}

export function sendRefusal(reply: FastifyReply, { code, detail }: Refusal): FastifyReply {
  const { status, title } = table[code];
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  if (status === 429) reply.header('retry-after', '1');
  const body = { type: `urn:cloakroom:observatory:${code}`, title, status, code, detail };
  // Sent as bytes: Fastify would add a charset to a text, and application/problem+json does not have one.
  return reply
    .code(status)
    .type('application/problem+json')
    .send(Buffer.from(JSON.stringify(body)));
}

/** Fastify's own failures, by their codes: https://fastify.dev/docs/latest/Reference/Errors/ */
const frameworkRefusals: Readonly<Record<string, Refusal>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: new Refusal(
    'unsupported_media_type',
    'Spans come as OTLP over HTTP in JSON. An exporter of OpenTelemetry sends that with OTEL_EXPORTER_OTLP_PROTOCOL=http/json.',
  ),
  FST_ERR_CTP_BODY_TOO_LARGE: new Refusal('payload_too_large', 'Send smaller batches.'),
  FST_ERR_CTP_INVALID_JSON_BODY: new Refusal('invalid_request', 'The body is not JSON.'),
  FST_ERR_CTP_EMPTY_JSON_BODY: new Refusal('invalid_request', 'The body is empty.'),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: new Refusal('invalid_request', 'The body is not as long as it says.'),
};

/** Nest turns a refusal by Fastify into an exception that keeps the status alone. */
const statusRefusals: Readonly<Record<number, Refusal>> = {
  404: new Refusal('not_found', 'The page is at /, and its API below /api.'),
  405: new Refusal('method_not_allowed', 'Another method may do.'),
  413: frameworkRefusals['FST_ERR_CTP_BODY_TOO_LARGE']!,
  415: frameworkRefusals['FST_ERR_CTP_INVALID_MEDIA_TYPE']!,
};

/** @returns undefined for a surprise */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, status } = error as { code?: unknown; status?: unknown };
  const known = typeof code === 'string' ? frameworkRefusals[code] : undefined;
  if (known !== undefined || typeof status !== 'number') return known;
  return (
    statusRefusals[status] ?? (status >= 400 && status < 500 ? new Refusal('invalid_request', 'See the API in src/api.ts.') : undefined)
  );
}
