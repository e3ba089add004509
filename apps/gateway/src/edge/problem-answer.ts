/** Every error of the gateway: RFC 9457 problem+json with a stable code. Only this file and libs/mesh turn codes into a transport's words. */
import { type ErrorCode, errorTable, isProblem, type Problem, problem, toldCode } from '@cloakroom/contracts';
import type { Logger } from '@cloakroom/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type AnyProblem, type FieldProblem, type ProblemBody, problemType } from '../problem-schema.ts';

/** For a code that says "wait", when no service said how long. */
const retryAfterDefaultS = 2;
const waitCodes: ReadonlySet<ErrorCode> = new Set([
  'unavailable',
  'identity_unavailable',
  'home_region_unreachable',
  'outcome_unknown',
  'too_many_requests',
  'too_many_attempts',
]);

export function problemAnswer(
  what: AnyProblem,
  traceId?: string,
): { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: Buffer } {
  const code = toldCode(what.problem);
  const entry = errorTable[code];
  const retryAfter = what.retryAfterS ?? (waitCodes.has(code) ? retryAfterDefaultS : undefined);
  const body: ProblemBody = {
    // RFC 9457 3.1.1: if nothing stands at a type's address, a URN is better than an address.
    type: `urn:cloakroom:problem:${code}`,
    title: entry.text,
    status: entry.http,
    code,
    ...(what.detail !== undefined && { detail: what.detail }),
    ...('errors' in what && { errors: [...what.errors] }),
    ...('methods' in what && secondFactorMembers(what)),
    ...('cart' in what && { cart: what.cart }),
    ...('preview' in what && { preview: what.preview }),
    ...(retryAfter !== undefined && { retryAfter: Math.ceil(retryAfter) }),
    ...(traceId !== undefined && { traceId }),
  };
  const headers = {
    'content-type': problemType,
    ...(retryAfter !== undefined && { 'retry-after': String(Math.ceil(retryAfter)) }),
    ...('reached' in what && what.reached !== '' && { 'consistency-token': what.reached }),
  };
  // Sent as bytes: Fastify would add a charset to a text, and application/problem+json does not have one.
  return { status: entry.http, headers, body: Buffer.from(JSON.stringify(body)) };
}

function secondFactorMembers({
  challenge,
  methods,
  options,
}: Extract<AnyProblem, { readonly methods: unknown }>): Pick<ProblemBody, 'challenge' | 'methods' | 'options'> {
  return {
    methods: methods as NonNullable<ProblemBody['methods']>,
    ...(challenge !== undefined && { challenge }),
    ...(options !== undefined && { options }),
  };
}

/** As Standard Schema has it, and zod too. */
interface Issue {
  readonly message: string;
  readonly path?: readonly unknown[] | undefined;
}

/** Lists zod's findings field by field, without the values, which may be secrets. */
export function invalid(where: string, issues: readonly Issue[]): FieldProblem {
  const errors = issues.slice(0, errorCountMax).map(({ path = [], message }) => ({ field: [where, ...path].join('.'), message }));
  return { ...problem('invalid_request'), errors };
}

const errorCountMax = 20;

export function sendProblem(reply: FastifyReply, found: Problem): void {
  // A browser holds no passport. All that it can do about a refused one is to try again.
  const told = found.problem === 'invalid_passport' ? problem('identity_unavailable') : found;
  const { exchange } = reply.request;
  if (exchange !== undefined) exchange.refused = found;
  const { status, headers, body } = problemAnswer(told, exchange?.trace.traceId);
  reply.code(status).headers(headers).send(body);
}

/** Answers everything that is thrown: a refusal by a guard or a pipe, Fastify's own, Nest's, and surprises. */
export function answerFailure(error: unknown, request: FastifyRequest, reply: FastifyReply, log: Logger): void {
  const expected = expectedProblem(error);
  if (expected === undefined) {
    const where = { method: request.method, route: request.routeOptions?.url, trace_id: request.exchange?.trace.traceId };
    log.error({ err: error, ...where }, 'a request failed in a way that nobody expected');
  }
  sendProblem(reply, expected ?? problem('internal'));
}

/** Fastify's own failures, by their codes: https://fastify.dev/docs/latest/Reference/Errors/ */
const frameworkCodes: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload_too_large',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid_request',
  FST_ERR_CTP_INVALID_JSON_BODY: 'invalid_request',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid_request',
  FST_ERR_BAD_URL: 'invalid_request',
  FST_ERR_MAX_PARAM_LENGTH: 'not_found',
  FST_ERR_NOT_FOUND: 'not_found',
};

/** Nest turns a refusal by Fastify into an exception that keeps the status alone. Such a refusal is no failure of ours. */
const statusCodes: Readonly<Record<number, ErrorCode>> = {
  404: 'not_found',
  405: 'method_not_allowed',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
};

/**
 * Maps a thrown value to a Problem.
 * @returns undefined for a surprise, which is logged and answered as `internal`
 */
export function expectedProblem(error: unknown): Problem | undefined {
  if (isProblem(error)) return error;
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, status } = error as { code?: unknown; status?: unknown };
  if (typeof code === 'string' && frameworkCodes[code] !== undefined) return problem(frameworkCodes[code]);
  return typeof status === 'number' && status >= 400 && status < 500 ? problem(statusCodes[status] ?? 'invalid_request') : undefined;
}
