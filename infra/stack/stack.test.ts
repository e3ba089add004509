import { expect, it } from 'vitest';
import { busPortOf, clusterUrl } from '../native/redis-cluster.ts';
import { serviceNames } from './stack.ports.ts';
import { drawStack, portsOf, portSpan } from './stack.ts';
import { levelsOf } from '../supervisor/supervisor.ts';

const at = { base: 4000, dataDir: '/data' };
const urls = { kafkaBrokers: 'kafka:9092', sessionRedisUrl: 'redis://sessions', cartRedisUrl: 'redis://carts' };
const native = drawStack({ ...at, provider: 'native' });
const embedded = drawStack({ ...at, provider: 'embedded' });

it('gives no port to two processes', () => {
  for (const { processes } of [native, embedded]) {
    const ports = processes.flatMap((process) => process.ports);
    expect(new Set(ports).size).toBe(ports.length);
  }
});

it('moves every port with the base', () => {
  const ports = (base: number) => drawStack({ ...at, base, provider: 'native' }).processes.flatMap((process) => process.ports);
  expect(ports(5000)).toEqual(ports(4000).map((port) => port + 1000));
});

it('names a process before those that need it', () => {
  const seen = new Set<string>();
  for (const { name, needs } of native.processes) {
    expect(needs.filter((need) => !seen.has(need))).toEqual([]);
    seen.add(name);
  }
});

it('ends the edge first and storage last', () => {
  expect(levelsOf(native.processes).map((level) => level.map(({ name }) => name))).toEqual([
    ['redis-sessions', 'redis-carts', 'kafka'],
    ['auth'],
    serviceNames.filter((name) => name !== 'auth' && name !== 'orders'),
    ['orders'],
    ['gateway-1', 'gateway-2'],
  ]);
});

it('lets all stop within 10 s', () => {
  for (const { processes } of [native, embedded]) {
    for (const { stopGraceMs } of processes) expect(stopGraceMs).toBeLessThan(10_000);
  }
});

it('gives the sessions and the carts a Redis of their own', () => {
  const env = (name: string) => appsOf(native).find(({ app }) => app === name)?.env ?? {};
  expect(env('auth')['SESSION_REDIS_URL']).toBe(`redis://127.0.0.1:${portsOf(4000).redisSessions}`);
  expect(env('cart')['CART_REDIS_URL']).toBe(`redis://127.0.0.1:${portsOf(4000).redisCarts}`);
  expect(env('cart')).not.toHaveProperty('SESSION_REDIS_URL');
});

it('meets its own storage through a proxy where a test has put one', () => {
  const stack = drawStack({ ...at, provider: 'native', storageUrls: { SESSION_REDIS_URL: 'redis://127.0.0.1:9' } });
  const auth = appsOf(stack).find(({ app }) => app === 'auth');
  expect(auth?.env['SESSION_REDIS_URL']).toBe('redis://127.0.0.1:9');
  expect(auth?.env['KAFKA_BROKERS']).toBe(`127.0.0.1:${portsOf(4000).kafka}`);
  expect(stack.processes.find(({ name }) => name === 'redis-sessions')?.ports).toEqual([portsOf(4000).redisSessions]);
});

it('gives each service a database of its own, and none to the cart, whose truth is the log', () => {
  for (const stack of [native, embedded]) {
    const owners = appsOf(stack).filter(({ env }) => env['DATABASE_URL'] !== undefined);
    expect(owners.map(({ app }) => app).toSorted()).toEqual(['auth', 'catalog', 'orders', 'profile']);
    expect(new Set(owners.map(({ env }) => env['DATABASE_URL'])).size).toBe(4);
  }
});

it('tells the MAC key to the gateways and auth alone, and never draws it', () => {
  for (const stack of [native, embedded]) {
    const holders = appsOf(stack).filter(({ secrets }) => secrets.includes('SESSION_MAC_KEY'));
    expect(holders.map(({ app }) => app)).toEqual(['auth', 'gateway', 'gateway']);
    expect(JSON.stringify(stack)).not.toMatch(/"SESSION_MAC_KEY":/);
  }
});

it.each(['KEY_ENCRYPTION_KEY', 'REFRESH_TOKEN_KEY'] as const)(
  'tells %s, which seals what auth alone may open or renew, to auth alone',
  (key) => {
    for (const stack of [native, embedded])
      expect(
        appsOf(stack)
          .filter(({ secrets }) => secrets.includes(key))
          .map(({ app }) => app),
      ).toEqual(['auth']);
  },
);

it('leaves mutual TLS out in embedded alone', () => {
  const modes = (stack: typeof native) => [...new Set(appsOf(stack).map(({ env }) => env['MESH_TLS']))];
  expect(modes(native)).toEqual(['mutual']);
  expect(modes(drawStack({ ...at, provider: 'external', external: urls }))).toEqual(['mutual']);
  expect(modes(embedded)).toEqual(['off']);
});

it('lets a sign-in choose jwt, which outlives its end, on a trial shop of this machine alone', () => {
  const modes = (stack: typeof native) => [...new Set(appsOf(stack).flatMap(({ env }) => env['SESSION_MODES'] ?? []))];
  expect([modes(native), modes(embedded)]).toEqual([['reference,hybrid,jwt-denylist,jwt'], ['reference,hybrid,jwt-denylist,jwt']]);
  expect(modes(drawStack({ ...at, provider: 'external', external: urls }))).toEqual(['reference,hybrid,jwt-denylist']);
  expect(modes(drawStack({ ...at, provider: 'docker' }))).toEqual(['reference,hybrid,jwt-denylist']);
});

it('makes demo accounts everywhere but in a database that somebody keeps, and there when asked', () => {
  const seeds = (stack: typeof native) => appsOf(stack).flatMap(({ env }) => env['SEED_ACCOUNTS'] ?? []);
  expect([seeds(native), seeds(embedded)]).toEqual([['true'], ['true']]);
  expect(seeds(drawStack({ ...at, provider: 'external', external: urls }))).toEqual(['false']);
  expect(seeds(drawStack({ ...at, provider: 'external', external: { ...urls, seedAccounts: true } }))).toEqual(['true']);
});

it('starts no storage for external', () => {
  const { processes } = drawStack({ ...at, provider: 'external', external: urls });
  expect(processes.map(({ run }) => run.kind)).toEqual(Array.from({ length: serviceNames.length + 2 }, () => 'app'));
});

it('gives each owner a database and a role of its own on one PostgreSQL, and draws no password', () => {
  const drawn = drawStack({ ...at, provider: 'native', database: 'postgres' });
  const urls = appsOf(drawn).map(({ app, env }) => [app, env['DATABASE_URL']]);
  expect(urls.filter(([, url]) => url !== undefined)).toEqual([
    ['auth', 'postgres://auth@127.0.0.1:4240/auth'],
    ['profile', 'postgres://profile@127.0.0.1:4240/profile'],
    ['catalog', 'postgres://catalog@127.0.0.1:4240/catalog'],
    ['orders', 'postgres://orders@127.0.0.1:4240/orders'],
  ]);
  for (const { app, secrets } of appsOf(drawn))
    expect(secrets.includes('DATABASE_PASSWORD')).toBe(['auth', 'profile', 'catalog', 'orders'].includes(app));
  expect(drawn.processes.find(({ name }) => name === 'auth')?.needs).toContain('postgres');
  expect(JSON.stringify(native)).not.toMatch(/postgres/);
});

it('passes the URLs of somebody else’s PostgreSQL on', () => {
  const databaseUrls = { auth: 'postgres://a', profile: 'postgres://p', catalog: 'postgres://c', orders: 'postgres://o' };
  const drawn = drawStack({ ...at, provider: 'external', database: 'postgres', external: { ...urls, databaseUrls } });
  expect(appsOf(drawn).flatMap(({ env }) => env['DATABASE_URL'] ?? [])).toEqual([
    'postgres://a',
    'postgres://p',
    'postgres://c',
    'postgres://o',
  ]);
});

function appsOf(stack: typeof native) {
  return stack.processes.flatMap(({ run }) => (run.kind === 'app' ? [run.app] : run.kind === 'embedded' ? run.apps : []));
}

it('lets every part of a container network be met by its own name, and nothing by loopback', () => {
  const docker = drawStack({ base: 4000, dataDir: '/data', provider: 'docker' });
  expect(docker.processes.map(({ name }) => name)).toEqual(native.processes.map(({ name }) => name));
  const hosts = new Set<string>();
  for (const { env } of appsOf(docker)) {
    expect(env['HOST']).toBe('0.0.0.0');
    const { PUBLIC_ORIGINS: _, ...told } = env;
    for (const value of Object.values(told)) {
      expect(value).not.toMatch(/localhost|127\.0\.0\.1/);
      const host = /^(?:\w+:\/\/)?([a-z-]+):\d+$/.exec(value)?.[1];
      if (host !== undefined) hosts.add(host);
    }
  }
  expect([...hosts].toSorted()).toEqual([...serviceNames, 'kafka', 'redis-carts', 'redis-sessions'].toSorted());
});

const cluster = drawStack({ ...at, provider: 'native', profile: 'cluster' });
const named = (name: string) => cluster.processes.filter((process) => process.name.startsWith(name));

it('draws for the cluster three gateways, two of each service, three brokers, and six Redis for the sessions', () => {
  const count = (name: string) => named(name).length;
  expect({ gateways: count('gateway-'), auth: count('auth-'), cart: count('cart-'), profile: count('profile-') }).toEqual({
    gateways: 3,
    auth: 2,
    cart: 2,
    profile: 2,
  });
  expect(serviceNames.map((name) => count(`${name}-`))).toEqual(serviceNames.map(() => 2));
  expect(['kafka-', 'redis-sessions-', 'redis-carts', 'postgres'].map(count)).toEqual([3, 6, 1, 1]);
  expect(cluster.processes).toHaveLength(3 + 2 * serviceNames.length + 3 + 6 + 1 + 1);
  expect(cluster.gateways).toHaveLength(3);
});

it('gives no port to two processes of the cluster, the bus of its Redis included', () => {
  const ports = cluster.processes.flatMap((process) => process.ports);
  expect(new Set(ports).size).toBe(ports.length);
  expect(Math.max(...ports)).toBeLessThan(at.base + portSpan);
  for (const { ports: own } of named('redis-sessions')) expect(own).toEqual([own[0], busPortOf(own[0]!)]);
});

it('gives the first replica the ports that the only one has', () => {
  const portsIn = (stack: typeof native, name: string) => stack.processes.find((process) => process.name === name)?.ports;
  for (const name of ['auth', 'cart', 'profile', 'catalog', 'orders', 'kafka'])
    expect(portsIn(cluster, `${name}-1`)).toEqual(portsIn(native, name));
  expect(portsIn(cluster, 'auth-2')).toEqual([4112, 4113]);
});

it('tells every caller all replicas of a service, and every reader all brokers and three copies', () => {
  for (const { env } of appsOf(cluster)) {
    expect(env['AUTH_ADDRESS']).toBe('localhost:4110,localhost:4112');
    expect(env['CART_ADDRESS']?.split(',')).toHaveLength(2);
    if (env['EVENT_LOG'] === undefined) continue;
    expect(env['KAFKA_BROKERS']?.split(',')).toHaveLength(3);
    expect(env['KAFKA_REPLICATION_FACTOR']).toBe('3');
  }
  const names = appsOf(cluster).map(({ app, env }) => `${app}-${env['REPLICA']}`);
  expect(new Set(names).size).toBe(names.length);
});

it('keeps the carts on a Redis of their own beside the sessions’ cluster', () => {
  const told = (app: string, name: string) => [...new Set(appsOf(cluster).flatMap((one) => (one.app === app ? [one.env[name]] : [])))];
  expect(told('auth', 'SESSION_REDIS_URL')).toEqual([clusterUrl([4210, 4211, 4212, 4213, 4214, 4215])]);
  expect(told('cart', 'CART_REDIS_URL')).toEqual(['redis://127.0.0.1:4220']);
});

it('shares one database between the replicas of a service', () => {
  const urls = appsOf(cluster).flatMap(({ env }) => env['DATABASE_URL'] ?? []);
  expect(urls).toHaveLength(8);
  expect(new Set(urls).size).toBe(4);
  expect(urls.every((url) => url.startsWith('postgres://'))).toBe(true);
});

it('draws a cluster for native alone', () => {
  for (const provider of ['embedded', 'docker', 'external'] as const)
    expect(() => drawStack({ ...at, provider, profile: 'cluster', external: urls })).toThrow(/native alone/);
});

it('draws the Observatory beside a shop on one’s own machine, where asked, and nowhere else', () => {
  const has = (stack: typeof native) => JSON.stringify(stack).toLowerCase().includes('observatory');
  expect([has(native), has(embedded), has(drawStack({ ...at, provider: 'docker' }))]).toEqual([false, false, false]);
  for (const provider of ['native', 'embedded'] as const) {
    const drawn = drawStack({ ...at, provider, observatory: true });
    const spec = drawn.processes.find(({ name }) => name === 'observatory');
    expect(spec).toMatchObject({ beside: true, ports: [4009], url: 'http://localhost:4009' });
    expect(drawn.processes.flatMap(({ needs }) => needs)).not.toContain('observatory');
    for (const { app, env, secrets } of appsOf(drawn))
      expect([app, env['OBSERVATORY_URL'], secrets.at(-1)]).toEqual([app, 'http://127.0.0.1:4009', 'OBSERVATORY_SPAN_KEY']);
    // The keys are no part of the drawing.
    expect(JSON.stringify(drawn)).not.toMatch(/OBSERVATORY_(SPAN|PAGE)_KEY":/);
  }
  for (const provider of ['docker', 'external'] as const)
    expect(() => drawStack({ ...at, provider, external: urls, observatory: true })).toThrow(/native and embedded/);
});
