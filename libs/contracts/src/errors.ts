/**
 * The one error table: every code that this platform answers with, and how each transport says it. A check compares docs/errors.md with it.
 * Only libs/mesh (gRPC) and the gateway's problem answer (HTTP) translate codes.
 */
export type GrpcStatusName =
  | 'CANCELLED'
  | 'INVALID_ARGUMENT'
  | 'DEADLINE_EXCEEDED'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  | 'INTERNAL'
  | 'UNAVAILABLE'
  | 'UNAUTHENTICATED';

export interface ErrorEntry {
  readonly grpc: GrpcStatusName;
  /** HTTP status (RFC 9110). Status 499 is nginx's "client closed the request"; no client ever sees it. */
  readonly http: number;
  /** The public text: what happened and what to do, without a word about internals. */
  readonly text: string;
}

export const errorTable = {
  invalid_request: { grpc: 'INVALID_ARGUMENT', http: 400, text: 'The request is not valid. See "errors" for each field.' },
  weak_password: {
    grpc: 'INVALID_ARGUMENT',
    http: 422,
    text: 'This password is too easy to guess: it is a common one, or little more than your name, your e-mail or the shop. Choose another.',
  },
  ambiguous_cookies: {
    grpc: 'INVALID_ARGUMENT',
    http: 400,
    text: 'The request carries two session cookies of one name. Clear the cookies of this site.',
  },
  session_required: {
    grpc: 'UNAUTHENTICATED',
    http: 401,
    text: 'This needs a session. Start one with POST /api/session/guest or sign in.',
  },
  sign_in_required: { grpc: 'UNAUTHENTICATED', http: 401, text: 'This needs a signed-in person. Sign in first.' },
  session_ended: { grpc: 'UNAUTHENTICATED', http: 401, text: 'This session has ended. Sign in again.' },
  invalid_credentials: { grpc: 'UNAUTHENTICATED', http: 401, text: 'E-mail or password is wrong.' },
  second_factor_required: {
    grpc: 'UNAUTHENTICATED',
    http: 401,
    text: 'The password is right. Prove a second factor: "methods" says which, and "challenge" goes to POST /api/session/login/second-factor.',
  },
  invalid_second_factor: { grpc: 'UNAUTHENTICATED', http: 401, text: 'This proof is wrong, or was used before. Try again.' },
  challenge_expired: { grpc: 'UNAUTHENTICATED', http: 401, text: 'This took too long, or was finished before. Begin again.' },
  step_up_required: {
    grpc: 'UNAUTHENTICATED',
    http: 401,
    text: 'Prove your password again (POST /api/session/reauthenticate), then repeat the request.',
  },
  invalid_passport: { grpc: 'UNAUTHENTICATED', http: 401, text: 'The identity of this call could not be verified.' },
  payment_declined: {
    grpc: 'FAILED_PRECONDITION',
    http: 402,
    text: 'The payment was declined and nothing was charged. Your cart is as it was; try another means of payment with a new Idempotency-Key.',
  },
  forbidden: { grpc: 'PERMISSION_DENIED', http: 403, text: 'You may not do this.' },
  cross_site_request: {
    grpc: 'PERMISSION_DENIED',
    http: 403,
    text: 'The request does not come from this site. Send a same-origin Origin or Sec-Fetch-Site header.',
  },
  not_found: { grpc: 'NOT_FOUND', http: 404, text: 'There is nothing at this address.' },
  method_not_allowed: { grpc: 'INVALID_ARGUMENT', http: 405, text: 'This address does not know that method.' },
  email_taken: { grpc: 'ALREADY_EXISTS', http: 409, text: 'An account with this e-mail exists. Sign in instead.' },
  factor_exists: { grpc: 'ALREADY_EXISTS', http: 409, text: 'This is set up already. Remove it first.' },
  command_conflict: { grpc: 'ALREADY_EXISTS', http: 409, text: 'This command id was used for another command. Make a new one.' },
  other_cart: { grpc: 'FAILED_PRECONDITION', http: 409, text: 'This command was made for the cart of somebody else. Nothing was written.' },
  cart_changed: { grpc: 'ABORTED', http: 409, text: 'The cart has changed since it was shown. Look at "cart" and order again.' },
  order_cancelled: {
    grpc: 'ABORTED',
    http: 409,
    text: 'The order could not be finished in time and was cancelled; nothing was charged. Order again with a new Idempotency-Key.',
  },
  price_changed: {
    grpc: 'ABORTED',
    http: 409,
    text: 'The total is not the one that was agreed to. Look at "preview"; nothing was charged.',
  },
  out_of_stock: {
    grpc: 'FAILED_PRECONDITION',
    http: 409,
    text: 'There is not enough of something. Look at "preview"; nothing was charged.',
  },
  payload_too_large: { grpc: 'INVALID_ARGUMENT', http: 413, text: 'The request is too large.' },
  unsupported_media_type: { grpc: 'INVALID_ARGUMENT', http: 415, text: 'Send application/json.' },
  unknown_product: { grpc: 'FAILED_PRECONDITION', http: 422, text: 'There is no such product, or not with these options.' },
  unknown_line: { grpc: 'FAILED_PRECONDITION', http: 422, text: 'The cart has no such line. Read the cart again.' },
  command_expired: {
    grpc: 'FAILED_PRECONDITION',
    http: 422,
    text: 'The command id is older than 7 days or from the future. Make a new UUIDv7.',
  },
  limit_exceeded: { grpc: 'FAILED_PRECONDITION', http: 422, text: 'The limit is reached. Remove something first.' },
  idempotency_key_reused: {
    grpc: 'FAILED_PRECONDITION',
    http: 422,
    text: 'This Idempotency-Key was used for another order. Make a new one.',
  },
  unknown_address: { grpc: 'FAILED_PRECONDITION', http: 422, text: 'Your profile has no such address. Read the profile again.' },
  nothing_to_order: { grpc: 'FAILED_PRECONDITION', http: 422, text: 'There is nothing in this order. Put something in the cart first.' },
  headers_too_large: { grpc: 'INVALID_ARGUMENT', http: 431, text: 'The request headers are too large. Clear the cookies of this site.' },
  too_many_requests: { grpc: 'RESOURCE_EXHAUSTED', http: 429, text: 'Too many requests. Wait for the time in Retry-After.' },
  too_many_attempts: { grpc: 'RESOURCE_EXHAUSTED', http: 429, text: 'Too many failed sign-ins. Wait for the time in Retry-After.' },
  cancelled: { grpc: 'CANCELLED', http: 499, text: 'The request was cancelled.' },
  internal: { grpc: 'INTERNAL', http: 500, text: 'Something went wrong on our side. Nothing was lost; try again.' },
  unavailable: { grpc: 'UNAVAILABLE', http: 503, text: 'A part of the shop is not available. Try again in a moment.' },
  connection_lost: { grpc: 'UNAVAILABLE', http: 503, text: 'A part of the shop is not available. Try again in a moment.' },
  identity_unavailable: {
    grpc: 'UNAVAILABLE',
    http: 503,
    text: 'Your session cannot be checked at the moment. Nothing was lost; try again.',
  },
  home_region_unreachable: {
    grpc: 'UNAVAILABLE',
    http: 503,
    text: 'The region that keeps your account cannot be reached. Browsing works, and your cart for up to a minute; the rest waits for that region.',
  },
  outcome_unknown: {
    grpc: 'ABORTED',
    http: 503,
    text: 'It may or may not have been taken. Repeat it with the same command id, an order with the same Idempotency-Key: it counts once.',
  },
  deadline_exceeded: { grpc: 'DEADLINE_EXCEEDED', http: 504, text: 'The answer took longer than its budget. Try again.' },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorTable;

/**
 * Codes that a process may send to its caller. `connection_lost` is not one: a client of the mesh reports its
 * own connection with it, in its own process.
 */
export type ToldCode = Exclude<ErrorCode, 'connection_lost'>;

const isTold = (code: ErrorCode): code is ToldCode => code !== 'connection_lost';
export const toldCodes: readonly ToldCode[] = (Object.keys(errorTable) as ErrorCode[]).filter(isTold);
/** The next caller's own connection works, so it hears `unavailable` instead of `connection_lost`. */
export const toldCode = (code: ErrorCode): ToldCode => (isTold(code) ? code : 'unavailable');

/**
 * An expected outcome that is not the one asked for. It is returned, not thrown. libs/mesh and the
 * gateway turn it into the words of a transport.
 */
export interface Problem {
  readonly problem: ErrorCode;
  /** Public: it names the field or the limit. It never holds a secret or an internal detail. */
  readonly detail?: string;
  /** Seconds. */
  readonly retryAfterS?: number;
}

export function problem(code: ErrorCode, detail?: string, retryAfterS?: number): Problem {
  return { problem: code, ...(detail !== undefined && { detail }), ...(retryAfterS !== undefined && { retryAfterS }) };
}

export function isProblem(value: unknown): value is Problem {
  return (
    typeof value === 'object' && value !== null && 'problem' in value && typeof value.problem === 'string' && value.problem in errorTable
  );
}
