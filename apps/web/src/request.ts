/** One HTTP exchange with the gateway, and what may go wrong with it. */
import type { FactorMethod, SecondFactor } from './api.types.ts';

/** One of the gateway's codes (GET /openapi.json names them), or `network`: no answer at all, so it may or may not have been taken. */
export type ProblemCode = string;

/** A problem+json answer (RFC 9457), or the lack of any. `message` is fit to be shown. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly code: ProblemCode;
  /** HTTP status; 0 when nothing answered. */
  readonly status: number;
  readonly retryAfterMs: number;
  /** Of `second_factor_required`. */
  readonly secondFactor: SecondFactor | undefined;
  constructor(code: ProblemCode, status: number, message: string, retryAfterMs = 0, secondFactor?: SecondFactor) {
    super(message);
    this.code = code;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
    this.secondFactor = secondFactor;
  }
}

export type Fetch = (path: string, init: RequestInit) => Promise<Response>;
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Longer than the gateway's own longest budget (5 s), so that it is the gateway that says what went wrong. */
const answerTimeoutMs = 10_000;

/** @throws ApiProblem for every outcome but success; an abort by `signal` stays an AbortError */
export async function request<Answer>(fetch: Fetch, method: Method, path: string, body?: object, signal?: AbortSignal): Promise<Answer> {
  const timeout = AbortSignal.timeout(answerTimeoutMs);
  const init: RequestInit = { method, credentials: 'same-origin', signal: signal ? AbortSignal.any([signal, timeout]) : timeout };
  // Every unsafe request is JSON, so that no cross-site form can send one.
  if (method !== 'GET') Object.assign(init, { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body ?? {}) });
  let response: Response;
  let text: string;
  try {
    response = await fetch(path, init);
    text = await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiProblem('network', 0, 'The shop could not be reached. Check your connection and try again.');
  }
  if (response.ok) return (text === '' ? undefined : JSON.parse(text)) as Answer;
  throw toProblem(response, text);
}

/** The text is the gateway's own, but where it speaks to programmers. An answer that is no problem+json is never shown. */
function toProblem(response: Response, text: string): ApiProblem {
  const retryAfterMs = Number(response.headers.get('retry-after') ?? 0) * 1000 || 0;
  const { code, title, errors, ...more } = parseObject(text);
  const isOurs = response.headers.get('content-type')?.startsWith('application/problem+json') === true;
  if (isOurs && typeof code === 'string' && typeof title === 'string') {
    const shown = (personalTexts[code] ?? title) + (code === 'invalid_request' ? fieldTexts(errors) : '');
    const secondFactor = code === 'second_factor_required' ? secondFactorOf(more) : undefined;
    return new ApiProblem(code, response.status, shown, retryAfterMs, secondFactor);
  }
  // A proxy before the gateway, or the gateway gone.
  if (response.status >= 502 && response.status <= 504)
    return new ApiProblem('unavailable', response.status, 'The shop is not available. Try again in a moment.', retryAfterMs);
  return new ApiProblem('internal', response.status, 'Something went wrong on our side. Nothing was lost; try again.', retryAfterMs);
}

const personalTexts: Readonly<Record<ProblemCode, string>> = {
  invalid_request: 'This was not accepted.',
  session_required: 'Sign in, or put something into the cart first.',
  sign_in_required: 'Sign in to do this.',
  session_ended: 'Your session has ended. Sign in again.',
  step_up_required: 'Confirm that it is you to do this.',
  second_factor_required: 'The password is right. Now the second step.',
  invalid_second_factor: 'That was not right, or was used before. Try again.',
  challenge_expired: 'This took too long. Begin again.',
  factor_exists: 'This is set up already. Remove it first.',
  forbidden: 'This is for administrators.',
  too_many_requests: 'That was a lot at once. Wait a moment, then try again.',
  too_many_attempts: 'Too many failed sign-ins. Wait a few minutes, then try again.',
  outcome_unknown: 'It is not known yet whether this was taken. Try again.',
  unknown_line: 'This line is no longer in the cart.',
};

function secondFactorOf({ challenge, methods, options }: Readonly<Record<string, unknown>>): SecondFactor {
  return {
    methods: Array.isArray(methods) ? (methods as FactorMethod[]) : [],
    ...(typeof challenge === 'string' && { challenge }),
    ...(typeof options === 'object' && options !== null && { options }),
  };
}

/** " Name: at most 100 characters." from { field: "body.name", message } */
function fieldTexts(errors: unknown): string {
  if (!Array.isArray(errors)) return '';
  const texts = (errors as { field?: unknown; message?: unknown }[]).flatMap(({ field, message }) =>
    typeof field === 'string' && typeof message === 'string' ? [` ${field.replace(/^\w+\./, '')}: ${message}.`] : [],
  );
  return texts.join('');
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
