/** Fake services behind the real mesh: just enough behaviour for a gateway to show its own. */
/* oxlint-disable max-lines -- Longer because it is one table of rpcs. */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  AuthService,
  CartService,
  CatalogService,
  MergeState,
  problem,
  type Problem,
  ProfileService,
  type SessionIssued,
  TokenMode,
} from '@cloakroom/contracts';
import { implement, type Implementation, person, type RequestContext } from '@cloakroom/mesh';
import { fakeAccount } from './fake-account.fixture.ts';
import { type FakeAuth, readRelayClock } from './fake-auth.fixture.ts';
import { fakeOrders, type FakeOrders } from './fake-orders.fixture.ts';

type Issued = Pick<SessionIssued, 'token' | 'session' | 'endedOldest' | 'knownDevice' | 'currentTokenOwn'> &
  Partial<Pick<SessionIssued, 'claimWaits'>>;

export interface FakeServices {
  readonly implementations: readonly { readonly name: string; readonly implementation: Implementation; readonly beside?: Implementation }[];
  /** The calls so far with what they carried, newest last. */
  readonly seen: { readonly method: string; readonly ctx: RequestContext; readonly request: unknown }[];
  readonly cart: {
    failing: Problem | undefined;
    hangMs: number;
    claimed: string[];
    changed(): void;
    /** The traceparent of the change; '' where it is not known. */
    cause: string;
    breakWatchers(): void;
    watchers: number;
    lines: CartLineGiven[];
    behind: bigint;
    behindRegions: { region: string; records: bigint }[];
    coupons: { code: string; seen: string }[];
  };
  readonly catalog: { failing: Problem | undefined; asked: number };
  readonly profile: { failing: Problem | undefined; throwing: boolean };
  readonly orders: FakeOrders;
}

interface CartLineGiven {
  lineId: string;
  productId: string;
  options: { name: string; value: string }[];
  quantity: number;
  seen: string;
}

/** This password is right, and not enough. */
const needsSecondFactor = 'needs-second-factor';

export const products = [
  {
    productId: 'cap',
    name: 'Cap',
    description: 'Keeps the sun away.',
    category: 'hats',
    price: 1_900n,
    currency: 'EUR',
    options: [{ name: 'Colour', values: ['Blue', 'Red'] }],
    stock: 7,
    image: '/images/cap.svg',
  },
  {
    productId: 'scarf',
    name: 'Scarf',
    description: 'Warm.',
    category: 'scarves',
    price: 2_500n,
    currency: 'EUR',
    options: [],
    stock: 3,
    image: '/images/scarf.svg',
  },
];

const facets = {
  categories: [
    { value: 'hats', count: 1 },
    { value: 'scarves', count: 1 },
  ],
  options: [{ name: 'Colour', values: [{ value: 'Blue', count: 1 }] }],
  priceMin: 1_900n,
  priceMax: 2_500n,
};

export function fakeServices(auth: FakeAuth): FakeServices {
  let wake = Promise.withResolvers<void>();
  let breaks = 0;
  const seen: FakeServices['seen'][number][] = [];
  const { orders, implementation: ordersImplementation } = fakeOrders(seen);
  const services: FakeServices = {
    implementations: [],
    seen,
    cart: {
      failing: undefined,
      hangMs: 0,
      claimed: [],
      watchers: 0,
      lines: [],
      behind: 0n,
      behindRegions: [],
      coupons: [],
      cause: '',
      changed() {
        wake.resolve();
        wake = Promise.withResolvers();
      },
      breakWatchers() {
        breaks++;
        services.cart.changed();
      },
    },
    catalog: { failing: undefined, asked: 0 },
    profile: { failing: undefined, throwing: false },
    orders,
  };
  const implementations = [
    { name: 'auth', implementation: implement(AuthService, authHandlers(auth, services)), beside: fakeAccount(auth, services.seen) },
    {
      name: 'cart',
      implementation: implement(
        CartService,
        cartHandlers(
          services,
          () => wake.promise,
          () => breaks,
        ),
      ),
    },
    { name: 'profile', implementation: implement(ProfileService, profileHandlers(services)) },
    { name: 'catalog', implementation: implement(CatalogService, catalogHandlers(services)) },
    { name: 'orders', implementation: ordersImplementation },
  ];
  return Object.assign(services, { implementations });
}

// oxlint-disable-next-line max-lines-per-function -- Longer because it is a table, a line or two for each rpc.
function authHandlers(auth: FakeAuth, { seen }: FakeServices) {
  const issue = (state: 'guest' | 'user', changes = {}): Issued => {
    const token = auth.begin(state, changes);
    const knownDevice = state === 'user' ? auth.knownDevice : '';
    return { token, session: auth.sessionOf(token).view, endedOldest: false, knownDevice, currentTokenOwn: false };
  };
  const isOwn = (token: string) => auth.sessions.has(token) || auth.selfContained.isOwn(token);
  const signIn = (currentToken: string): Issued => {
    const current = auth.sessions.get(currentToken);
    if (current !== undefined) current.live = false;
    const claimed = current?.view.subject.startsWith('g_') === true ? current.view.subject : '';
    return { ...issue('user', { claimedGuestCart: claimed }), currentTokenOwn: isOwn(currentToken), claimWaits: auth.claimWaits };
  };
  const withCall = <Request, Answer>(method: string, answer: (ctx: RequestContext, request: Request) => Answer | Problem) => {
    return async (ctx: RequestContext, request: Request): Promise<Answer | Problem> => {
      seen.push({ method, ctx, request });
      return auth.note(method, request) ?? answer(ctx, request);
    };
  };
  return {
    createGuest: withCall('createGuest', () => issue('guest')),
    resolve: async (ctx: RequestContext, request: { token: string; audience: string; touch: boolean }) => {
      const failing = auth.note('resolve', request);
      await auth.gate;
      if (failing !== undefined) return failing;
      const session = auth.sessions.get(request.token) ?? auth.selfContained.find(request.token);
      const asked = { tokenSha256: createHash('sha256').update(request.token).digest(), audience: request.audience };
      if (session?.live !== true) return asked;
      const passport = auth.passport(session.view, request.audience, ctx.trace.traceId);
      return { ...asked, session: session.view, passport, passportExpiresAtMs: BigInt(Date.now() + 60_000), epoch: 1n, globalEpoch: 0n };
    },
    refresh: async (_ctx: RequestContext, request: { refreshToken: string; touch: boolean }) => {
      const failing = auth.note('refresh', request);
      await auth.gate;
      return failing ?? auth.selfContained.refresh(request.refreshToken);
    },
    register: withCall('register', (_ctx, request: { email: string; currentToken: string }) =>
      request.email === 'taken@example.com' ? problem('email_taken') : signIn(request.currentToken),
    ),
    login: withCall('login', (_ctx, request: { password: string; currentToken: string; mode: TokenMode }) => {
      if (request.password === 'wrong') return problem('invalid_credentials');
      if (request.password === needsSecondFactor)
        return { secondFactor: { challenge: 'second-1', methods: ['totp', 'passkey'], passkeyOptions: '{"challenge":"AAAA"}' } };
      const before = auth.selfContained.find(request.currentToken);
      if (before !== undefined) before.live = false;
      if (request.mode < TokenMode.JWT) return signIn(request.currentToken);
      const { session } = auth.selfContained.begin(request.mode === TokenMode.JWT ? 'jwt' : 'jwt-denylist');
      return { ...auth.selfContained.issued(session), currentTokenOwn: isOwn(request.currentToken) };
    }),
    logout: withCall('logout', (_ctx, request: { token: string }) => {
      const session = auth.sessions.get(request.token) ?? auth.selfContained.find(request.token);
      if (session !== undefined) session.live = false;
      return { own: isOwn(request.token) };
    }),
    reauthenticate: withCall('reauthenticate', (_ctx, request: { password: string; token: string }) => {
      if (request.password === 'wrong') return problem('invalid_credentials');
      if (request.password === needsSecondFactor) return { secondFactor: { methods: ['totp'] } };
      const selfContained = auth.selfContained.find(request.token);
      if (selfContained !== undefined) {
        selfContained.generation += 1;
        return auth.selfContained.issued(selfContained);
      }
      const session = auth.sessionOf(request.token);
      session.live = false;
      return issue('user', { handle: session.view.handle, subject: session.view.subject });
    }),
    listDevices: withCall('listDevices', (ctx) => ({
      devices: [
        { handle: person(ctx).identity.handle, current: true, device: 'curl', mode: TokenMode.HYBRID, createdAtMs: 1n, lastSeenAtMs: 2n },
      ],
    })),
    endDevice: withCall('endDevice', (_ctx, request: { handle: string }) => (request.handle === 'unknown' ? problem('not_found') : {})),
    endOtherDevices: withCall('endOtherDevices', () => ({ ended: 1 })),
    getKeys: async () => ({ jwks: auth.signed.jwks }),
    readBeatClock: async () => readRelayClock(),
    rotateKeys: async () => problem('forbidden'),
  };
}

function cartHandlers(services: FakeServices, changed: () => Promise<void>, breaks: () => number) {
  const { seen, cart } = services;
  const command =
    (method: string) => async (ctx: RequestContext, request: { commandId: string; seen?: string; lineId?: string; productId?: string }) => {
      seen.push({ method, ctx, request });
      if (cart.hangMs > 0) await delay(cart.hangMs, undefined, { signal: ctx.signal }).catch(() => undefined);
      if (cart.failing !== undefined) return cart.failing;
      const lineId = request.lineId ?? `line-${request.productId ?? ''}`;
      return { commandId: request.commandId, lineId, seen: `${request.seen ?? ''}+${request.commandId}`, consistencyToken: 'local:3:41' };
    };
  return {
    addItem: command('addItem'),
    setQuantity: command('setQuantity'),
    removeItem: command('removeItem'),
    clearCart: command('clearCart'),
    applyCoupon: command('applyCoupon'),
    removeCoupon: command('removeCoupon'),
    prepareOrder: async () => problem('forbidden'),
    getCart: async (ctx: RequestContext, request: { claimedGuestCart: string }) => {
      seen.push({ method: 'getCart', ctx, request });
      if (cart.failing !== undefined) return cart.failing;
      const pending = request.claimedGuestCart !== '';
      const merge = { state: pending ? MergeState.PENDING : MergeState.NONE, from: request.claimedGuestCart, atMs: 0n };
      return {
        cartId: person(ctx).identity.subject,
        lines: cart.lines,
        seen: 'all',
        stale: cart.behind > 0n || cart.behindRegions.length > 0,
        incomplete: false,
        merge,
        behind: cart.behind,
        behindRegions: cart.behindRegions,
        coupons: cart.coupons,
        consistencyToken: 'local:3:57',
      };
    },
    watch: async function* (ctx: RequestContext) {
      seen.push({ method: 'watch', ctx, request: {} });
      cart.watchers++;
      const breaksBefore = breaks();
      const gone = new Promise<void>((resolve) => ctx.signal.addEventListener('abort', () => resolve()));
      try {
        for (let watermark = 1n; !ctx.signal.aborted; watermark++) {
          const next = changed();
          yield { cartId: person(ctx).identity.subject, watermark, traceparent: cart.cause };
          await Promise.race([next, gone]);
          if (breaks() > breaksBefore) yield problem('unavailable');
        }
      } finally {
        cart.watchers--;
      }
    },
  };
}

function catalogHandlers({ catalog, seen }: FakeServices) {
  return {
    listProducts: async (ctx: RequestContext, request: { page: number; pageSize: number }) => {
      seen.push({ method: 'listProducts', ctx, request });
      return catalog.failing ?? { items: products, total: products.length, page: request.page, pageSize: request.pageSize, facets };
    },
    suggest: async (ctx: RequestContext, request: { query: string }) => {
      seen.push({ method: 'suggest', ctx, request });
      return catalog.failing ?? { products, categories: ['hats'] };
    },
    getProducts: async (ctx: RequestContext, request: { productIds: string[] }) => {
      seen.push({ method: 'getProducts', ctx, request });
      catalog.asked++;
      return catalog.failing ?? { items: products.filter(({ productId }) => request.productIds.includes(productId)) };
    },
    reserveStock: async () => problem('forbidden'),
    releaseStock: async () => problem('forbidden'),
  };
}

function profileHandlers({ profile, seen }: FakeServices) {
  const answer = { name: 'Ada', email: 'ada@example.com', addresses: [], preferences: { theme: 'dark' }, recentlyViewed: ['cap'] };
  const handler = (method: string) => async (ctx: RequestContext, request: object) => {
    seen.push({ method, ctx, request });
    if (profile.throwing) throw new Error('a secret of the profile service');
    return profile.failing ?? answer;
  };
  return {
    getProfile: handler('getProfile'),
    updateProfile: handler('updateProfile'),
    recordView: async (ctx: RequestContext, request: object) => {
      seen.push({ method: 'recordView', ctx, request });
      return profile.failing ?? {};
    },
  };
}
