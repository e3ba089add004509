/** Puts the parts of orders together as its module says, with fakes in place of the services that it calls. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { Test } from '@nestjs/testing';
import { isProblem, OrdersService, OrderStatus, ProfileSchema, topics } from '@cloakroom/contracts';
import { type Commits, EmbeddedEventLog, type EventLog } from '@cloakroom/event-log';
import { eventLogToken, feedToken, keysToken, signPassport } from '@cloakroom/identity';
import { connectMesh, MeshTransport, ServiceModule } from '@cloakroom/mesh';
import { startTrace, systemClock } from '@cloakroom/platform';
import { afterEach, expect, it, vi } from 'vitest';
import { commitsToken, databaseToken, exchangeToken, noticesToken, peersToken, workerToken } from './injection.ts';
import { FakeCart, FakeCatalog, home, quiet } from './orders.harness.ts';
import { OrdersModule, readConfig } from './orders.module.ts';

const key = { kid: 'live', ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) };
const ring = { find: () => key.publicKey, refresh: () => Promise.resolve(), retire: () => undefined, stop: () => undefined };
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
  vi.restoreAllMocks();
});

// No process answers at these addresses.
const nobody = { AUTH_ADDRESS: 'localhost:1', CART_ADDRESS: 'localhost:1', CATALOG_ADDRESS: 'localhost:1', PROFILE_ADDRESS: 'localhost:1' };
const process = { REPLICA: '1', LISTEN_PORT: '0', ADMIN_PORT: '0', MESH_TLS: 'off', EVENT_LOG: 'embedded' };
const ordersModule = () =>
  OrdersModule.with(readConfig({ ...process, ...nobody, DATABASE_URL: 'sqlite::memory:' }), { log: quiet, clock: systemClock });

/** The services that orders calls. Each knows the person by the passport that was exchanged for it. */
function fakePeers() {
  const [cart, catalog] = [new FakeCart(), new FakeCatalog()];
  catalog.put('hat', { price: 2_000 });
  cart.lines.set('a', { productId: 'hat' });
  const peers = {
    cart: {
      prepareOrder: ({ passport }: { passport: string }, { seen }: { seen: string }) => Promise.resolve(cart.prepared(passport, seen)),
    },
    catalog: {
      getProducts: (_: unknown, { productIds }: { productIds: string[] }) => Promise.resolve(catalog.products(productIds)),
      reserveStock: (_: unknown, { orderId, items }: { orderId: string; items: never[] }) =>
        Promise.resolve(catalog.reserve(orderId, items)),
    },
    profile: { getProfile: () => Promise.resolve(create(ProfileSchema, { addresses: [home] })) },
  };
  const exchangeFor = ({ identity }: { identity: { subject: string } }) => Promise.resolve(identity.subject);
  return { peers, exchange: { exchangeFor } };
}

async function serve() {
  const { peers, exchange } = fakePeers();
  const compiled = await Test.createTestingModule({ imports: [ServiceModule.of(ordersModule(), [OrdersService])] })
    .overrideProvider(keysToken)
    .useValue(ring)
    .overrideProvider(peersToken)
    .useValue(peers)
    .overrideProvider(exchangeToken)
    .useValue(exchange)
    .compile();
  const strategy = compiled.get(MeshTransport);
  const app = compiled.createNestMicroservice({ strategy, logger: false });
  await app.listen();
  const { client, close } = connectMesh(OrdersService, { address: `127.0.0.1:${strategy.port}`, tls: undefined, log: quiet });
  stops.push(() => app.close(), close);
  return { client, compiled };
}

function outgoing(subject: string) {
  const iat = systemClock.nowMs() / 1000;
  const claims = { iss: 'cloakroom-auth', aud: 'orders', sub: subject, sid: 'h', epoch: 1, gepoch: 0, state: 'user' } as const;
  const passport = signPassport({ ...claims, acr: '', amr: [], auth_time: iat, txn: 't', region: 'local', iat, exp: iat + 30 }, key);
  return { budgetMs: 6_000, trace: startTrace(randomBytes), passport };
}

it('places an order, and the commit wakes the worker that tells the log of it', async () => {
  const { client, compiled } = await serve();
  const commits = compiled.get<Commits>(commitsToken, { strict: false });
  await vi.waitFor(() => expect(commits.wakes.size).toBe(1));
  const eventLog = compiled.get<EventLog>(eventLogToken, { strict: false });
  const told: string[] = [];
  const handler = (batch: { readonly records: readonly { readonly headers: Readonly<Record<string, Buffer>> }[] }) =>
    Promise.resolve(void told.push(...batch.records.map(({ headers }) => String(headers['event-type']))));
  await eventLog.ensureTopics([topics.orderEvents]);
  const reader = await eventLog.subscribe({ group: 'test', topics: [topics.orderEvents], from: 'earliest', handler: handler as never });
  stops.push(() => reader.stop());
  const placed = await client.placeOrder(outgoing('u_1'), { idempotencyKey: 'k', seen: 'a', addressId: 'home', expectedTotal: 2_000n });
  expect(isProblem(placed) ? placed : placed.status).toBe(OrderStatus.PLACED);
  expect(commits.count).toBeGreaterThan(0);
  await vi.waitFor(() => expect(told).toEqual(['OrderAccepted', 'StockReserved', 'PaymentCaptured', 'OrderConfirmed']));
});

it('does not start without its controller', async () => {
  const module = { ...ordersModule(), controllers: [] };
  const compiled = await Test.createTestingModule({ imports: [ServiceModule.of(module, [OrdersService])] }).compile();
  const app = compiled.createNestMicroservice({ strategy: compiled.get(MeshTransport), logger: false });
  await expect(app.listen()).rejects.toThrow('OrdersService/PreviewOrder has no handler');
  await app.close();
});

it('stops the worker first, then what reads the log, and the connections last', async () => {
  const compiled = await Test.createTestingModule({ imports: [ServiceModule.of(ordersModule(), [OrdersService])] })
    .overrideProvider(keysToken)
    .useValue(ring)
    .compile();
  const seen: string[] = [];
  const parts = { worker: workerToken, notices: noticesToken, exchange: exchangeToken, peers: peersToken, database: databaseToken };
  for (const [name, token] of Object.entries({ ...parts, feed: feedToken, log: eventLogToken })) {
    const part = compiled.get<{ onApplicationShutdown(): Promise<void> }>(token, { strict: false });
    const stop = part.onApplicationShutdown;
    part.onApplicationShutdown = async () => {
      seen.push(`${name} stops`);
      await stop.call(part);
      seen.push(name);
    };
  }
  const closeMesh = MeshTransport.prototype.close;
  vi.spyOn(MeshTransport.prototype, 'close').mockImplementation(async function (this: MeshTransport) {
    await closeMesh.call(this);
    seen.push('mesh');
  });
  vi.spyOn(EmbeddedEventLog.prototype, 'close');
  const app = compiled.createNestMicroservice({ strategy: compiled.get(MeshTransport), logger: false });
  await app.listen();
  await app.close();
  const before = (first: string, then: string): void => expect(seen.indexOf(first)).toBeLessThan(seen.indexOf(`${then} stops`));
  expect(seen.slice(0, 3)).toEqual(['mesh', 'worker stops', 'worker']);
  for (const reader of ['notices', 'feed']) before(reader, 'log');
  before('exchange', 'peers');
  before('exchange', 'feed');
  for (const connection of ['peers', 'database', 'log']) before('worker', connection);
  expect(seen.at(-1)).toBe('log');
  expect(EmbeddedEventLog.prototype.close).toHaveBeenCalledOnce();
});
