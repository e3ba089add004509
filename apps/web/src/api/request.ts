/** Makes one HTTP exchange with the gateway, and turns each failure into an ApiProblem. */
import type { Cart, FactorMethod, OrderPreview } from '@cloakroom/contracts/http';
import type { SecondFactor } from './api.types.ts';

/** One of the gateway's codes, which GET /openapi.json names, or `network`: the shop itself did not answer and may or may not have taken the request. */
export type ProblemCode = string;

/** A problem+json answer (RFC 9457), or no answer at all. The page may show `message`. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly code: ProblemCode;
  /** HTTP status; 0 when nothing answered. */
  readonly status: number;
  readonly retryAfterMs: number;
  /** Only with `second_factor_required`. */
  readonly secondFactor: SecondFactor | undefined;
  /** The state of things now, if the refusal carries it. */
  readonly now: { readonly cart?: Cart; readonly preview?: OrderPreview };
  constructor(code: ProblemCode, status: number, message: string, retryAfterMs = 0, more: ProblemMore = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
    this.secondFactor = more.secondFactor;
    this.now = more.now ?? {};
  }
}

interface ProblemMore {
  readonly secondFactor?: SecondFactor;
  readonly now?: ApiProblem['now'];
}

export type Fetch = (path: string, init: RequestInit) => Promise<Response>;
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Longer than the gateway's longest budget (7.5 s, to order), so that the gateway can say what went wrong. */
const answerTimeoutMs = 10_000;

interface Asked {
  readonly method: Method;
  readonly path: string;
  readonly body?: object | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

/** @throws ApiProblem for every outcome but success; an abort by `signal` stays an AbortError */
export async function request<Answer>(fetch: Fetch, { method, path, body, signal, headers }: Asked): Promise<Answer> {
  const timeout = AbortSignal.timeout(answerTimeoutMs);
  const init: RequestInit = { method, credentials: 'same-origin', signal: signal ? AbortSignal.any([signal, timeout]) : timeout };
  // Every unsafe request is JSON, so that no cross-site form can send one.
  if (method !== 'GET')
    Object.assign(init, { headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body ?? {}) });
  let response: Response;
  let text: string;
  try {
    response = await fetch(path, init);
    text = await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiProblem('network', 0, 'The shop could not be reached. Check your connection and try again.');
  }
  if (response.ok) return (text === '' ? undefined : parseAnswer(response, text)) as Answer;
  throw toProblem(response, text);
}

/** An answer that is no JSON comes from a proxy or the sign-in page of a Wi-Fi, not from the shop. */
function parseAnswer(response: Response, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiProblem('network', response.status, 'Something else answered instead of the shop. Check your connection and try again.');
  }
}

/** Shows the gateway's own text, except where that speaks to programmers. The page never shows an answer that is no problem+json. */
function toProblem(response: Response, text: string): ApiProblem {
  const retryAfterMs = Number(response.headers.get('retry-after') ?? 0) * 1000 || 0;
  const { code, title, detail, errors, ...more } = parseObject(text);
  const isOurs = response.headers.get('content-type')?.startsWith('application/problem+json') === true;
  if (isOurs && typeof code === 'string' && typeof title === 'string') {
    const told = code === 'home_region_unreachable' && typeof detail === 'string' ? detail : title;
    const shown = (personalTexts[code] ?? told) + (code === 'invalid_request' ? fieldTexts(errors) : '');
    return new ApiProblem(code, response.status, shown, retryAfterMs, moreOf(code, more));
  }
  // A proxy in front of the gateway answered, or the gateway is gone.
  if (response.status >= 502 && response.status <= 504)
    return new ApiProblem('network', response.status, 'The shop is not available. Try again in a moment.', retryAfterMs);
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
  outcome_unknown: 'It is not known yet whether this was taken.',
  other_cart: 'This was not done: somebody else has signed in on this device. Reload the page.',
  unknown_line: 'This line is no longer in the cart.',
  cart_changed: 'Your cart has changed. Nothing was ordered.',
  price_changed: 'The total has changed. Nothing was charged.',
  out_of_stock: 'There is not enough of something. Nothing was charged.',
  payment_declined: 'The payment was declined. Nothing was charged, and your cart is as it was.',
  order_cancelled: 'This order was cancelled. Nothing was charged, and you may order again.',
  unknown_address: 'This address is no longer in your profile. Choose another.',
  nothing_to_order: 'There is nothing left to order.',
  idempotency_key_reused: 'This order was sent before with other contents. Nothing new was ordered; look at it and place it again.',
};

function moreOf(code: ProblemCode, told: Readonly<Record<string, unknown>>): ProblemMore {
  switch (code) {
    case 'second_factor_required':
      return { secondFactor: secondFactorOf(told) };
    case 'cart_changed':
      return isObject(told['cart']) ? { now: { cart: told['cart'] as unknown as Cart } } : {};
    case 'price_changed':
    case 'out_of_stock':
      return isObject(told['preview']) ? { now: { preview: told['preview'] as unknown as OrderPreview } } : {};
    default:
      return {};
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

function secondFactorOf({ challenge, methods, options }: Readonly<Record<string, unknown>>): SecondFactor {
  return {
    methods: Array.isArray(methods) ? (methods as FactorMethod[]) : [],
    ...(typeof challenge === 'string' && { challenge }),
    ...(isObject(options) && { options }),
  };
}

/** Turns { field: "body.name", message } into " name: at most 100 characters." */
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
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}
