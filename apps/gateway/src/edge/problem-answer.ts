/** Every error of the gateway: RFC 9457 problem+json with a stable code. Only this file and libs/mesh turn codes into a transport's words. */
import { type ErrorCode, errorTable, isProblem, type Problem, problem, toldCode, toldCodes } from '@cloakroom/contracts';
import { z } from 'zod';
import { cartSchema } from '../cart/cart-answer.ts';
import { type CheckoutProblem, previewSchema } from '../orders/order-answer.ts';
import type { SecondFactorProblem } from '../session/second-factor-problem.ts';

export const problemSchema = z
  .object({
    type: z.string().meta({ description: 'A URN that names the kind of problem and is no address: urn:cloakroom:problem:<code>.' }),
    title: z.string(),
    status: z.int(),
    code: z.enum(toldCodes).meta({ id: 'ErrorCode' }),
    detail: z.string().optional(),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
    retryAfter: z.int().optional().meta({ description: 'Seconds; the same as the Retry-After header.' }),
    challenge: z.string().optional().meta({
      description: 'Of second_factor_required: names this sign-in in its second half. A step-up has none: it is repeated with the code.',
    }),
    methods: z
      .array(z.enum(['totp', 'passkey', 'recovery_code']).meta({ id: 'FactorMethod' }))
      .optional()
      .meta({ description: 'Of second_factor_required.' }),
    options: z.looseObject({}).optional().meta({
      description: 'Of second_factor_required with a passkey: for navigator.credentials.get (PublicKeyCredentialRequestOptionsJSON).',
    }),
    cart: cartSchema.optional().meta({ description: 'Of cart_changed: as it is now.' }),
    preview: previewSchema.optional().meta({ description: 'Of price_changed and out_of_stock: what an order would be now.' }),
    traceId: z.string().optional().meta({ description: 'Tell this to whoever runs the shop.' }),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details' });

export type ProblemBody = z.output<typeof problemSchema>;

/** A Problem that also says what is wrong with each field. */
export interface FieldProblem extends Problem {
  readonly errors: readonly { readonly field: string; readonly message: string }[];
}

export const problemType = 'application/problem+json';
/** For a code that says "wait", when no service said how long. */
const retryAfterDefaultS = 2;
const waitCodes: ReadonlySet<ErrorCode> = new Set([
  'unavailable',
  'identity_unavailable',
  'outcome_unknown',
  'too_many_requests',
  'too_many_attempts',
]);

export function problemAnswer(
  what: Problem | FieldProblem | SecondFactorProblem | CheckoutProblem,
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

function secondFactorMembers({ challenge, methods, options }: SecondFactorProblem): Pick<ProblemBody, 'challenge' | 'methods' | 'options'> {
  return {
    methods: methods as NonNullable<ProblemBody['methods']>,
    ...(challenge !== undefined && { challenge }),
    ...(options !== undefined && { options }),
  };
}

/** Lists zod's findings field by field, without the values, which may be secrets. */
export function invalid(where: string, error: z.ZodError): FieldProblem {
  const errors = error.issues.slice(0, errorCountMax).map((issue) => ({ field: [where, ...issue.path].join('.'), message: issue.message }));
  return { ...problem('invalid_request'), errors };
}

const errorCountMax = 20;

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
