/**
 * Confused deputies, tried over real mutual TLS. The test runs the real auth, and a cart and a profile that record whom they were called for.
 * The callers hold the certificates of orders, cart, profile and the gateway. The name of each test says what its caller tries.
 */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuthService, CartService, isProblem, problem, ProfileService, TokenExchangeService } from '@cloakroom/contracts';
import { EmbeddedEventLog } from '@cloakroom/event-log';
import { createPassportVerifier, openAdmission, jwksFrom, openKeyRing } from '@cloakroom/identity';
import { connectMesh, createDevelopmentCa, implement, person, readTls, serveMesh, type VerifiedIdentity } from '@cloakroom/mesh';
import { createLogger, systemClock } from '@cloakroom/platform';
import { freshDatabaseUrl } from '@cloakroom/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ok } from '../auth.harness.ts';
import { readConfig, start } from '../auth.module.ts';

const log = createLogger('auth-test', 'silent');
const closing: (() => unknown)[] = [];
const names = ['auth', 'cart', 'profile', 'orders', 'gateway', 'catalog', 'operator'];
const getCart = 'cloakroom.cart.v1.CartService/GetCart';
/** Everything that orders may do for a person there. */
const ofCart = [getCart, 'cloakroom.cart.v1.CartService/PrepareOrder'];
const getProfile = 'cloakroom.profile.v1.ProfileService/GetProfile';

let dir = '';
let authAddress = '';
const addresses: Record<'cart' | 'profile', string> = { cart: '', profile: '' };
/** The subjects that the cart and the profile were called for, and how often. */
const seen: VerifiedIdentity[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'exchange-'));
  await createDevelopmentCa(dir, names);
  const eventLog = new EmbeddedEventLog({ log, clock: systemClock });
  closing.push(() => eventLog.close());
  const config = readConfig({
    REPLICA: '1',
    LISTEN_PORT: '0',
    ADMIN_PORT: '0',
    DATABASE_URL: await freshDatabaseUrl(),
    SESSION_STORE: 'memory',
    EVENT_LOG: 'embedded',
    MESH_TLS: 'mutual',
    TLS_DIR: dir,
    SESSION_MAC_KEY: Buffer.alloc(32, 1).toString('base64url'),
    REFRESH_TOKEN_KEY: Buffer.alloc(32, 3).toString('base64url'),
    KEY_ENCRYPTION_KEY: Buffer.alloc(32, 2).toString('base64url'),
  });
  const auth = await start(config, { log, clock: systemClock, eventLog });
  closing.push(() => auth.stop());
  authAddress = auth.url.replace('127.0.0.1', 'localhost');
  await serveTelling('cart');
  await serveTelling('profile');
});

afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

beforeEach(() => void seen.splice(0));

const no = () => Promise.resolve(problem('not_found'));
async function* none() {
  yield await no();
}

async function serveTelling(name: 'cart' | 'profile'): Promise<void> {
  const tls = await readTls(dir, name);
  const auth = connectMesh(AuthService, { address: authAddress, tls, log });
  const keys = openKeyRing({ log, fetchJwks: jwksFrom(auth.client) });
  const tell = (ctx: Parameters<typeof person>[0]) => Promise.resolve(void seen.push(person(ctx).identity) as unknown as object);
  const services = {
    cart: implement(CartService, {
      addItem: no,
      setQuantity: no,
      removeItem: no,
      clearCart: tell,
      applyCoupon: no,
      removeCoupon: no,
      prepareOrder: no,
      getCart: async (ctx) => (await tell(ctx), {}),
      watch: none,
    }),
    profile: implement(ProfileService, { getProfile: async (ctx) => (await tell(ctx), {}), updateProfile: no, recordView: no }),
  };
  const server = await serveMesh({
    name,
    port: 0,
    tls,
    services: [services[name]],
    admission: openAdmission(createPassportVerifier({ audience: name, keys, clock: systemClock }), systemClock),
    clock: systemClock,
    log,
  });
  addresses[name] = `localhost:${server.port}`;
  closing.push(() => (keys.stop(), auth.close()), server.stop);
}

const call = (passport?: string) => ({
  budgetMs: 5_000,
  passport,
  trace: {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  },
});

/** Everything that a process with this certificate can reach. */
async function holding(name: string) {
  const tls = await readTls(dir, name);
  const connections = {
    auth: connectMesh(AuthService, { address: authAddress, tls, log }),
    exchange: connectMesh(TokenExchangeService, { address: authAddress, tls, log }),
    cart: connectMesh(CartService, { address: addresses.cart, tls, log }),
    profile: connectMesh(ProfileService, { address: addresses.profile, tls, log }),
  };
  for (const { close } of Object.values(connections)) closing.push(close);
  const { auth, exchange, cart, profile } = connections;
  return {
    auth: auth.client,
    cart: cart.client,
    profile: profile.client,
    exchange: (subjectToken: string, audience: string, scope: string[] = []) =>
      exchange.client.exchangeToken(call(), { subjectToken, audience, scope }),
  };
}

/** A person with a session, and a passport of theirs for each audience, as the gateway is given them. */
async function somebody() {
  const { auth } = await holding('gateway');
  const { token, session } = ok(await auth.createGuest(call(), { device: { label: 'Firefox' } }));
  const passportFor = async (audience: string) => ok(await auth.resolve(call(), { token: token!, audience })).passport!;
  return { subject: session!.subject!, token: token!, passportFor, end: async () => ok(await auth.logout(call(), { token })) };
}

const claimsOf = (jws: string) =>
  JSON.parse(Buffer.from(jws.split('.')[1]!, 'base64url').toString()) as Record<string, unknown> & { exp: number };

describe('orders, for a person', () => {
  it('reads that person’s cart and profile by exchanged passports, named as the actor', async () => {
    const [orders, { subject, passportFor }] = await Promise.all([holding('orders'), somebody()]);
    const received = await passportFor('orders');
    for (const [audience, methods] of [
      ['cart', ofCart],
      ['profile', [getProfile]],
    ] as const) {
      const answer = ok(await orders.exchange(received, audience));
      expect(answer.scope).toEqual(methods);
      const passport = call(answer.issuedToken);
      expect(isProblem(audience === 'cart' ? await orders.cart.getCart(passport, {}) : await orders.profile.getProfile(passport, {}))).toBe(
        false,
      );
    }
    expect(seen).toMatchObject([ofCart, [getProfile]].map((scope) => ({ subject, actors: ['orders'], scope })));
  });

  it('gets the same person, session and transaction, and never a later end', async () => {
    const [orders, { passportFor }] = await Promise.all([holding('orders'), somebody()]);
    const received = await passportFor('orders');
    const before = claimsOf(received);
    const after = claimsOf(ok(await orders.exchange(received, 'cart')).issuedToken);
    for (const name of ['sub', 'sid', 'epoch', 'gepoch', 'txn', 'auth_time', 'state', 'acr', 'amr'])
      expect(after[name]).toEqual(before[name]);
    expect(after.exp).toBeLessThanOrEqual(before.exp);
    expect(after).toMatchObject({ aud: 'cart', act: { sub: 'orders' }, scope: ofCart.join(' ') });
  });

  it('cannot make the passport good for a method that the table leaves out', async () => {
    const [orders, { passportFor }] = await Promise.all([holding('orders'), somebody()]);
    const received = await passportFor('orders');
    const passport = call(ok(await orders.exchange(received, 'cart')).issuedToken);
    expect(await orders.cart.clearCart(passport, {})).toEqual(problem('forbidden'));
    expect(await orders.exchange(received, 'cart', ['cloakroom.cart.v1.CartService/ClearCart'])).toEqual(problem('forbidden'));
    expect(await orders.exchange(received, 'auth')).toEqual(problem('forbidden'));
    expect(seen).toEqual([]);
  });

  it('is not let in by the passport that it was sent, whatever service that was for', async () => {
    const [orders, { passportFor }] = await Promise.all([holding('orders'), somebody()]);
    expect(await orders.cart.getCart(call(await passportFor('orders')), {})).toEqual(problem('invalid_passport'));
    expect(await orders.cart.getCart(call(await passportFor('cart')), {})).toEqual(problem('forbidden'));
    expect(await orders.cart.getCart(call(), {})).toEqual(problem('session_required'));
    expect(seen).toEqual([]);
  });

  it('cannot exchange a passport of another audience, an exchanged one that is not for it, or a changed one', async () => {
    const [orders, { passportFor }] = await Promise.all([holding('orders'), somebody()]);
    const received = await passportFor('orders');
    const exchanged = ok(await orders.exchange(received, 'cart')).issuedToken;
    const [header, payload, signature] = received.split('.') as [string, string, string];
    const other = Buffer.from(JSON.stringify({ ...claimsOf(received), sub: 'g_somebody-else' })).toString('base64url');
    for (const token of [await passportFor('cart'), exchanged, `${header}.${other}.${signature}`, `${header}.${payload}.`, 'x', ''])
      expect(await orders.exchange(token, 'cart')).toEqual(problem('invalid_passport'));
  });

  it('gets nothing for a session that has ended, though its passport is not yet over', async () => {
    const [orders, { passportFor, end }] = await Promise.all([holding('orders'), somebody()]);
    const received = await passportFor('orders');
    await end();
    expect(await orders.exchange(received, 'cart')).toEqual(problem('session_ended'));
  });
});

describe('another service', () => {
  it('cart may do nothing at profile: neither as itself, nor by what it was sent, nor by an exchange', async () => {
    const [cart, { passportFor }] = await Promise.all([holding('cart'), somebody()]);
    const received = await passportFor('cart');
    expect(await cart.profile.getProfile(call(), {})).toEqual(problem('forbidden'));
    expect(await cart.profile.getProfile(call(received), {})).toEqual(problem('forbidden'));
    expect(await cart.profile.getProfile(call(await passportFor('profile')), {})).toEqual(problem('forbidden'));
    expect(await cart.exchange(received, 'profile')).toEqual(problem('forbidden'));
    expect(seen).toEqual([]);
  });

  it('cannot use a passport that orders exchanged, be it stolen by cart, profile or the gateway', async () => {
    const [orders, { passportFor }] = await Promise.all([holding('orders'), somebody()]);
    const stolen = call(ok(await orders.exchange(await passportFor('orders'), 'cart')).issuedToken);
    expect(await (await holding('gateway')).cart.getCart(stolen, {})).toEqual(problem('invalid_passport'));
    for (const thief of ['profile', 'catalog', 'auth'])
      expect(await (await holding(thief)).cart.getCart(stolen, {})).toEqual(problem('forbidden'));
    expect(seen).toEqual([]);
  });

  it('cannot exchange what was sent to orders', async () => {
    const { passportFor } = await somebody();
    const received = await passportFor('orders');
    for (const thief of ['cart', 'profile', 'catalog'])
      expect(await (await holding(thief)).exchange(received, 'profile')).toEqual(problem('invalid_passport'));
  });

  it('cannot ask for an exchange at all where the contract does not list it', async () => {
    const { passportFor } = await somebody();
    for (const name of ['gateway', 'operator'])
      expect(await (await holding(name)).exchange(await passportFor('orders'), 'cart')).toEqual(problem('forbidden'));
  });
});
