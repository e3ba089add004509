/**
 * Services tell the Observatory more than the usual spans. The Observatory is a page for people who study a shop on their own machine.
 *
 * These attributes say who acted: subjects, session handles, cart ids, claims. So they have a prefix of their own, and only the Observatory's
 * receiver gets them. A span that leaves for any other collector has them taken out. None of them ever holds a token, a signature, an e-mail
 * address or a network address.
 */
export const observedPrefix = 'observatory.';

export const observed = {
  /** The app whose code made the span, where the process holds several: auth, cart, gateway ... */
  app: 'observatory.app',
  /** The replica of that app, from 1, as text. */
  replica: 'observatory.replica',
  /** The region of the process, where there are two: eu, us. */
  region: 'observatory.region',
  /** The experiment id of the request: the trainee. */
  experiment: 'observatory.experiment',
  /** Milliseconds of the budget on entering this hop, and the whole budget of the route or rpc. */
  budgetLeftMs: 'observatory.budget.left_ms',
  budgetMs: 'observatory.budget.ms',
  /** The policy that the hop enforced, in words: "identity USER, audience cart, class interactive, callers gateway, orders". */
  policy: 'observatory.policy',
  /** The service that called, as its certificate says: "gateway", "orders". Absent where no certificate tells services apart. */
  caller: 'observatory.caller',
  /** "certificate" or "secret of this start". */
  callerProof: 'observatory.caller.proof',
  /** The person: u_... or g_... */
  subject: 'observatory.subject',
  /** The handle of the session, which is not its token. */
  session: 'observatory.session',
  /** True where a process heard that the session is over; false where only its token was replaced. */
  sessionEnded: 'observatory.session.ended',
  /**
   * Every session that a batch of revocations ended, with the trace of the request that did it: "handle trace, handle trace". A batch may hold many,
   * and the two names above hold one each.
   */
  sessionsEnded: 'observatory.sessions.ended',
  /** The hash tag of the session's record: all keys of one person lie in its slot of a Redis cluster. */
  sessionTag: 'observatory.session.tag',
  /** reference, hybrid, jwt-denylist, jwt. */
  mode: 'observatory.mode',
  cartId: 'observatory.cart',
  /** Offsets in the cart's partition, as text. The position that the caller's consistency token asks for at least. */
  cartAsked: 'observatory.cart.asked',
  /** The position that a read of the cart showed. */
  cartShown: 'observatory.cart.shown',
  /** The position of the record that a command wrote. */
  cartWritten: 'observatory.cart.written',
  /** The credential that the hop received: "passport", "access token", "none". */
  credential: 'observatory.credential',
  /** The claims of that credential as JSON, without name and e-mail. */
  claims: 'observatory.claims',
  credentialAgeMs: 'observatory.credential.age_ms',
  /** The header of that credential as JSON: algorithm, type, id of the key. */
  credentialHeader: 'observatory.credential.header',
  /** Services that acted for the person before, first to last: "gateway > orders". */
  actors: 'observatory.actors',
  /** Milliseconds since the revocation feed's last word, where an identity was decided. */
  leaseAgeMs: 'observatory.lease.age_ms',
  /** Decides what is shed first, and what happens while a part is away: cart, personal, LOGIN ... */
  operationClass: 'observatory.operation_class',
  /** Says why the hop refused: "invalid_passport: it was made for another service (wrong_audience)". The code alone where no check was noted. */
  refusal: 'observatory.refusal',
  /**
   * The waits that a fault of a person who studies the shop made here, in order: "since 1970 in ms, length in ms" each, as in
   * "1790000000000 50.2, 1790000000051 50.4". The lengths are measured: a timer may be late.
   */
  faultWaits: 'observatory.fault.waits',
  /** The page's own span: the id that the page sent as parent in `traceparent`. */
  browserSpan: 'observatory.browser.span',
  /** How the page calls its device: "Chrome on Linux". */
  device: 'observatory.device',
} as const;

/** The checks that a call may fail, in words. `refusal` ends with the key, in brackets. */
export const checkWords: Readonly<Record<string, string>> = {
  // The form and the signature of a token.
  malformed: 'it does not have the form of a signed token',
  unexpected_header: 'its header has a member that ours never has',
  wrong_algorithm: 'its algorithm is not the one of the key that it names, or is none at all',
  wrong_type: 'it is a token of another kind',
  unknown_key: 'auth has no key of this id',
  bad_signature: 'the signature does not belong to these claims',
  bad_claims: 'a claim is missing or impossible',
  wrong_audience: 'it was made for another service',
  foreign_key: 'it names another region than the one whose key signed it',
  unknown_region: 'it names a region that this process does not know',
  expired: 'its time is over',
  not_yet: 'it is dated from the future',
  revoked: 'this process has heard that the session was revoked',
  keys_unavailable: 'its key is new, and auth cannot be asked',
  bad_access_token: 'it is no valid access token of this shop',
  ambiguous_metadata: 'the call carries two credentials, or one that only resembles ours',
  // The caller, and whose passport it may be.
  no_secret: 'the caller has neither a certificate nor the secret of this start',
  caller: 'the policy of the method does not list this caller',
  not_exchanged: 'the caller sent on a passport that it should have exchanged',
  another_actor: 'the passport was exchanged by another service',
  out_of_scope: 'the exchanged passport does not name this method',
  // The person.
  no_person: 'the method needs a person, and the call brings none',
  no_user: 'the method needs a signed-in user',
  sensitive_age: 'a sensitive method takes no credential that is older than 2 s',
  authentication_age: 'the person proved themselves too long ago',
  // The moment.
  too_much_to_do: 'the service has too much to do',
};

/** Header with which services show the Observatory the key of this start, for spans alone: `authorization: Bearer <key>`. */
export const observatoryUrlVariable = 'OBSERVATORY_URL';
export const observatoryKeyVariable = 'OBSERVATORY_SPAN_KEY';
