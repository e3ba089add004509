/** The service as a process runs it, over the mesh. It accepts a passport for orders alone, and exchanges it for its calls to cart and profile. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { DescService } from '@bufbuild/protobuf';
import {
  AuthService,
  CartService,
  CatalogService,
  isProblem,
  OrdersService,
  OrderStatus,
  ProfileService,
  TokenExchangeService,
} from '@cloakroom/contracts';
import { type EventLog, openEventLog } from '@cloakroom/event-log';
import { createPassportVerifier, openAdmission, signPassport } from '@cloakroom/identity';
import {
  connectMesh,
  implement,
  type MeshConnection,
  type MeshServer,
  type OutgoingCall,
  type RequestContext,
  serveMesh,
} from '@cloakroom/mesh';
import { createLogger, type Running, startTrace, systemClock } from '@cloakroom/platform';
import { freshDatabaseUrl } from '@cloakroom/testing';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { FakeCart, FakeCatalog, home } from './orders.harness.ts';
import { readConfig, start } from './orders.module.ts';

const log = createLogger('test', 'silent');
const key = { kid: 'live', ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) };
const catalog = new FakeCatalog();
const cart = new FakeCart();
/** The calls that cart and profile received, with their caller and subject. */
const asked: { readonly method: string; readonly subject: string | undefined; readonly actors: readonly string[] | undefined }[] = [];

let eventLog: EventLog;
let servers: MeshServer[];
let running: Running;
let orders: MeshConnection<typeof OrdersService>;

function passport(
  subject: string,
  audience: string,
  more: { act?: { sub: string }; scope?: string; authenticatedS?: number } = {},
): string {
  const iat = systemClock.nowMs() / 1000;
  const { authenticatedS = 0, ...claims } = more;
  return signPassport(
    {
      iss: 'cloakroom-auth',
      aud: audience,
      sub: subject,
      sid: `h-${subject}`,
      epoch: 1,
      gepoch: 0,
      state: subject.startsWith('u_') ? 'user' : 'guest',
      acr: '',
      amr: [],
      auth_time: subject.startsWith('u_') ? iat - authenticatedS : 0,
      txn: 't',
      region: 'local',
      iat,
      exp: iat + 30,
      ...claims,
    },
    key,
  );
}

const ring = { find: () => key.publicKey, refresh: () => Promise.resolve(), retire: () => undefined };

function serve(name: string, service: DescService, given: object): Promise<MeshServer> {
  const unused = () => Promise.reject(new Error('not asked in this test'));
  const handlers = { ...Object.fromEntries(service.methods.map(({ localName }) => [localName, unused])), ...given };
  return serveMesh({
    name,
    port: 0,
    tls: undefined,
    services: [implement(service, handlers as never), ...(name === 'auth' ? [exchange()] : [])],
    admission: openAdmission(createPassportVerifier({ audience: name, keys: ring, clock: systemClock }), systemClock),
    clock: systemClock,
    log,
  });
}

/** An auth that exchanges any token it is shown. */
function exchange() {
  const methods = { cart: 'cloakroom.cart.v1.CartService/PrepareOrder', profile: 'cloakroom.profile.v1.ProfileService/GetProfile' };
  return implement(TokenExchangeService, {
    exchangeToken: (_ctx, { subjectToken, audience }) => {
      const { sub } = JSON.parse(Buffer.from(subjectToken.split('.')[1]!, 'base64url').toString()) as { sub: string };
      const scope = methods[audience as keyof typeof methods];
      const issuedToken = passport(sub, audience, { act: { sub: 'orders' }, scope });
      return Promise.resolve({ issuedToken, expiresAtMs: BigInt(systemClock.nowMs() + 30_000), scope: [scope] });
    },
  });
}

function noted(method: string, { identity }: RequestContext): void {
  asked.push({ method, subject: identity?.subject, actors: identity?.actors });
}

beforeAll(async () => {
  eventLog = await openEventLog({ kind: 'embedded', log, clock: systemClock });
  const jwk = { ...key.publicKey.export({ format: 'jwk' }), kid: key.kid, alg: 'ES256', use: 'sig' };
  servers = await Promise.all([
    serve('auth', AuthService, { getKeys: () => Promise.resolve({ jwks: JSON.stringify({ keys: [jwk] }) }) }),
    serve('cart', CartService, {
      prepareOrder: (ctx: RequestContext, { seen }: { seen: string }) => {
        noted('PrepareOrder', ctx);
        return Promise.resolve(cart.prepared(ctx.identity!.subject, seen));
      },
    }),
    serve('catalog', CatalogService, {
      getProducts: (_ctx: unknown, { productIds }: { productIds: string[] }) => Promise.resolve(catalog.products(productIds)),
      reserveStock: (_ctx: unknown, { orderId, items }: { orderId: string; items: never[] }) =>
        Promise.resolve(catalog.reserve(orderId, items)),
      releaseStock: (_ctx: unknown, { orderId }: { orderId: string }) => Promise.resolve(catalog.release(orderId)),
    }),
    serve('profile', ProfileService, {
      getProfile: (ctx: RequestContext) => {
        noted('GetProfile', ctx);
        return Promise.resolve({ addresses: [home] });
      },
    }),
  ]);
  const [auth, carts, catalogs, profiles] = servers.map(({ port }) => `localhost:${port}`);
  const env = {
    REPLICA: '1',
    LISTEN_PORT: '0',
    ADMIN_PORT: '0',
    MESH_TLS: 'off',
    EVENT_LOG: 'embedded',
    DATABASE_URL: await freshDatabaseUrl(),
    AUTH_ADDRESS: auth,
    CART_ADDRESS: carts,
    CATALOG_ADDRESS: catalogs,
    PROFILE_ADDRESS: profiles,
  };
  running = await start(readConfig(env), { log, clock: systemClock, eventLog });
  orders = connectMesh(OrdersService, { address: `localhost:${running.url.split(':')[1]}`, tls: undefined, log });
  catalog.put('hat', { price: 2_000 });
  cart.lines.set('a', { productId: 'hat' });
  cart.lines.set('b', { productId: 'hat' });
});
afterAll(async () => {
  orders.close();
  await running.stop();
  for (const server of servers) await server.stop();
  await eventLog.close();
});

const call = (token: string, budgetMs = 6_000): OutgoingCall => ({ budgetMs, trace: startTrace(randomBytes), passport: token });
const wanted = { idempotencyKey: 'k', seen: 'a', addressId: 'home', expectedTotal: 2_000n };

it('takes an order for a person, asks cart and profile in their name, and tells their streams', async () => {
  const controller = new AbortController();
  const told: string[] = [];
  const watching = (async () => {
    const stream = orders.client.watch({ ...call(passport('u_1', 'orders'), Infinity), signal: controller.signal }, {});
    for await (const message of stream) if (!isProblem(message)) told.push(message.orderId);
  })();
  const placed = await orders.client.placeOrder(call(passport('u_1', 'orders')), wanted);
  expect(placed).toMatchObject({ status: OrderStatus.PLACED, total: 2_000n, lines: [{ productId: 'hat', unitPrice: 2_000n }] });
  if (isProblem(placed)) throw new Error(placed.problem);
  expect(asked.toSorted((a, b) => (a.method < b.method ? -1 : 1))).toEqual([
    { method: 'GetProfile', subject: 'u_1', actors: ['orders'] },
    { method: 'PrepareOrder', subject: 'u_1', actors: ['orders'] },
  ]);
  await vi.waitFor(() => expect(told).toContain(placed.orderId), { timeout: 10_000 });
  controller.abort();
  await watching;
  expect(await orders.client.getOrder(call(passport('u_1', 'orders')), { orderId: placed.orderId })).toEqual(placed);
  expect(await orders.client.listOrders(call(passport('u_1', 'orders')), { page: 1, pageSize: 10 })).toMatchObject({
    items: [placed],
    total: 1,
  });
  expect(await orders.client.getOrder(call(passport('u_2', 'orders')), { orderId: placed.orderId })).toMatchObject({
    problem: 'not_found',
  });
});

it('asks for a fresh proof of who buys, and for a person who has signed in', async () => {
  const old = passport('u_1', 'orders', { authenticatedS: 301 });
  expect(await orders.client.placeOrder(call(old), { ...wanted, idempotencyKey: 'b', seen: 'b' })).toMatchObject({
    problem: 'step_up_required',
  });
  expect(await orders.client.placeOrder(call(passport('g_1', 'orders')), wanted)).toMatchObject({ problem: 'sign_in_required' });
  expect(await orders.client.previewOrder(call(passport('u_1', 'cart')), { seen: 'b' })).toMatchObject({ problem: 'invalid_passport' });
  expect(await orders.client.previewOrder(call(old), { seen: 'b' })).toMatchObject({ total: 2_000n, cartChanged: false });
});
