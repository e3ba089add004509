/** One HTTP exchange with the gateway, and what may go wrong with it. */
import { errorTable } from '@cloakroom/contracts';

/** `network`: no answer at all, so the request may or may not have been taken. */
export type ProblemCode = keyof typeof errorTable | 'network';

/** A problem+json answer (RFC 9457), or the lack of any. `message` is fit to be shown. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly code: ProblemCode;
  /** HTTP status; 0 when nothing answered. */
  readonly status: number;
  readonly retryAfterMs: number;
  constructor(code: ProblemCode, status: number, message: string, retryAfterMs = 0) {
    super(message);
    this.code = code;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
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

function toProblem(response: Response, text: string): ApiProblem {
  const retryAfterMs = Number(response.headers.get('retry-after') ?? 0) * 1000 || 0;
  const answer = parseObject(text);
  const code = typeof answer['code'] === 'string' && answer['code'] in errorTable ? (answer['code'] as keyof typeof errorTable) : undefined;
  if (code === undefined) {
    const unavailable = response.status >= 502 && response.status <= 504;
    return new ApiProblem(
      unavailable ? 'unavailable' : 'internal',
      response.status,
      errorTable[unavailable ? 'unavailable' : 'internal'].text,
      retryAfterMs,
    );
  }
  return new ApiProblem(code, response.status, shownText(code, answer['detail']), retryAfterMs);
}

/** What a person can do with it: some of the table's texts speak to programmers. */
const personalTexts: Partial<Record<ProblemCode, string>> = {
  session_required: 'Sign in, or put something into the cart first.',
  sign_in_required: 'Sign in to do this.',
  session_ended: 'Your session has ended. Sign in again.',
  step_up_required: 'Enter your password again to do this.',
  too_many_requests: 'That was a lot at once. Wait a moment, then try again.',
  too_many_attempts: 'Too many failed sign-ins. Wait a few minutes, then try again.',
  outcome_unknown: 'It is not known yet whether this was taken. Try again: it counts once.',
  unknown_line: 'This line is no longer in the cart.',
};

function shownText(code: keyof typeof errorTable, detail: unknown): string {
  const text = personalTexts[code] ?? errorTable[code].text.replace(' See "errors" for each field.', '');
  return code === 'invalid_request' && typeof detail === 'string' && detail !== '' ? `${text} (${detail})` : text;
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
