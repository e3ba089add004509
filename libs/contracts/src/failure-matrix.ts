/**
 * THE table: the result of every operation while a part is gone. The tests in e2e/failures really take each part away, and hold the system to every
 * cell in every token mode. docs/failures.md shows the table, and document.e2e.ts compares the two. The Observatory holds a running shop against it.
 * No other file states an expectation.
 */

/** The identity that the asked gateway has at hand. */
export const failureColumns = {
  known: 'hybrid or guest, seen here within a minute; jwt-denylist with its access token',
  jwt: 'jwt with its access token',
  none: 'reference; hybrid or guest not seen here; jwt and jwt-denylist with the refresh token alone',
} as const;
export type FailureColumn = keyof typeof failureColumns;

/** Rows, with their requests. The budget is the route's whole budget; no answer may take longer than that and a second. */
export const failureOperations = {
  public: { title: 'public: browse, search', request: 'GET /api/products', budgetMs: 2_000 },
  cartRead: { title: 'cart, read', request: 'GET /api/cart', budgetMs: 2_500 },
  cartWrite: { title: 'cart, write', request: 'POST /api/cart/lines', budgetMs: 4_000 },
  session: { title: 'personal, read: session', request: 'GET /api/session', budgetMs: 2_000 },
  profileRead: { title: 'personal, read: profile', request: 'GET /api/profile', budgetMs: 2_500 },
  profileWrite: { title: 'personal, write: profile', request: 'PATCH /api/profile', budgetMs: 2_500 },
  ordersRead: { title: 'personal, read: orders', request: 'GET /api/orders', budgetMs: 2_500 },
  streamOpened: { title: 'live stream, opened now', request: 'GET /api/events', budgetMs: 2_000 },
  streamOpen: { title: 'live stream, open before', request: 'GET /api/events', budgetMs: 2_000 },
  sensitive: { title: 'sensitive: devices', request: 'GET /api/session/devices', budgetMs: 2_500 },
  checkOut: { title: 'sensitive: check out', request: 'POST /api/orders', budgetMs: 7_500 },
  login: { title: 'login, by a guest', request: 'POST /api/session/login', budgetMs: 5_000 },
  register: { title: 'register', request: 'POST /api/session/register', budgetMs: 5_000 },
  logout: { title: 'logout', request: 'POST /api/session/logout', budgetMs: 3_000 },
} as const;
export type FailureOperation = keyof typeof failureOperations;

/**
 * The possible values of a cell, in the document's words. `codes`: a refusal that changes no cookie, with Retry-After where it is a 503.
 */
export const failureOutcomes = {
  works: { text: 'works' },
  degraded: { text: 'works to the passport’s end, and says `degraded`' },
  stale: { text: 'works, and says `stale`' },
  guestView: { text: 'works as a guest’s view, and says so (`x-session-view`)' },
  merging: { text: 'works; the carts merge later' },
  staysOpen: { text: 'stays open' },
  ends: { text: 'ends' },
  noIdentity: { text: '503 `identity_unavailable`', codes: ['identity_unavailable'] },
  unavailable: { text: '503 `unavailable`', codes: ['unavailable'] },
  /** While the feed is silent a sensitive request depends on auth alone, which may not answer in time. No order is placed either way. */
  notNow: { text: '503 `unavailable`, or `identity_unavailable`', codes: ['unavailable', 'identity_unavailable'] },
  unknown: {
    text: '503 `unavailable` (nothing written) or `outcome_unknown`: safe to repeat with the same command id or Idempotency-Key',
    codes: ['unavailable', 'outcome_unknown'],
  },
  silent: {
    text: '503 `unavailable`, at first 504 `deadline_exceeded` where it is paused',
    codes: ['unavailable', 'deadline_exceeded'],
  },
} as const;
export type FailureOutcome = keyof typeof failureOutcomes;
/** One outcome for all columns, or one for each. */
export type FailureCell = FailureOutcome | Readonly<Record<FailureColumn, FailureOutcome>>;

export type FailurePart = 'auth' | 'redis-sessions' | 'kafka' | 'postgres' | 'cart' | 'profile' | 'catalog' | 'orders' | 'redis-carts';
/** killed: kill -9 without a successor. paused: SIGSTOP. cut: a proxy that ends every connection. */
export type FailureWay = 'killed' | 'paused' | 'cut';

export interface Gone {
  readonly part: FailurePart;
  readonly ways: readonly FailureWay[];
  readonly title: string;
  /** The lease of the revocation feed ends too. The cells say what holds from then on. */
  readonly leaseEnds: boolean;
  readonly cells: Readonly<Record<FailureOperation, FailureCell>>;
}

const allWorks = {
  public: 'works',
  cartRead: 'works',
  cartWrite: 'works',
  session: 'works',
  profileRead: 'works',
  profileWrite: 'works',
  ordersRead: 'works',
  streamOpened: 'works',
  streamOpen: 'staysOpen',
  sensitive: 'works',
  checkOut: 'works',
  login: 'works',
  register: 'works',
  logout: 'works',
} as const satisfies Gone['cells'];

const withoutAuth = (known: FailureOutcome): Gone['cells'] => {
  const personal = { known, jwt: 'works', none: 'noIdentity' } as const;
  return {
    public: { known: 'works', jwt: 'works', none: 'guestView' },
    cartRead: personal,
    cartWrite: personal,
    session: personal,
    profileRead: personal,
    profileWrite: personal,
    ordersRead: personal,
    streamOpened: personal,
    streamOpen: { known: 'staysOpen', jwt: 'staysOpen', none: 'ends' },
    sensitive: 'noIdentity',
    checkOut: 'noIdentity',
    login: 'noIdentity',
    register: 'noIdentity',
    logout: 'noIdentity',
  };
};

/** For services whose data is in the lost database. */
const databaseGone = { known: 'unavailable', jwt: 'unavailable', none: 'noIdentity' } as const;

export const failureMatrix: readonly Gone[] = [
  { part: 'auth', ways: ['killed', 'paused'], title: 'auth', leaseEnds: true, cells: withoutAuth('degraded') },
  {
    part: 'redis-sessions',
    ways: ['killed', 'paused', 'cut'],
    title: 'the sessions’ Redis',
    leaseEnds: false,
    cells: withoutAuth('works'),
  },
  {
    part: 'kafka',
    ways: ['killed', 'paused'],
    title: 'Kafka, so the revocation feed is silent too',
    leaseEnds: true,
    // An order needs the cart as it is shown: orders asks for a cart that is not stale.
    cells: { ...allWorks, cartRead: 'stale', cartWrite: 'unknown', checkOut: 'notNow', login: 'merging' },
  },
  {
    part: 'postgres',
    ways: ['killed'],
    // auth asks its database at each resolve, so without the database auth is as good as gone. catalog keeps its products in memory.
    title: 'PostgreSQL, below auth, profile, catalog and orders',
    leaseEnds: true,
    cells: { ...withoutAuth('degraded'), profileRead: databaseGone, profileWrite: databaseGone, ordersRead: databaseGone },
  },
  {
    part: 'cart',
    ways: ['killed'],
    title: 'cart',
    leaseEnds: false,
    cells: { ...allWorks, cartRead: 'unavailable', cartWrite: 'unknown', checkOut: 'unknown' },
  },
  {
    part: 'profile',
    ways: ['killed'],
    title: 'profile',
    leaseEnds: false,
    cells: { ...allWorks, profileRead: 'unavailable', profileWrite: 'unavailable', checkOut: 'unknown' },
  },
  {
    part: 'catalog',
    ways: ['killed'],
    title: 'catalog',
    leaseEnds: false,
    cells: { ...allWorks, public: 'unavailable', checkOut: 'unknown' },
  },
  {
    part: 'orders',
    ways: ['killed', 'paused'],
    title: 'orders',
    leaseEnds: false,
    cells: { ...allWorks, ordersRead: 'silent', checkOut: 'unknown' },
  },
  {
    part: 'redis-carts',
    ways: ['killed', 'paused'],
    title: 'the carts’ Redis',
    leaseEnds: false,
    cells: { ...allWorks, cartRead: 'unavailable', checkOut: 'unknown' },
  },
];

/**
 * @param leaseGoesOn true for a part that is gone for one person alone: the feed of revocations reaches every process, so a cached identity is as good
 * as ever, and nothing is degraded
 */
export function failureOutcomeOf({ cells }: Gone, operation: FailureOperation, column: FailureColumn, leaseGoesOn = false): FailureOutcome {
  const cell: FailureCell = cells[operation];
  const outcome = typeof cell === 'string' ? cell : cell[column];
  return leaseGoesOn && outcome === 'degraded' ? 'works' : outcome;
}
