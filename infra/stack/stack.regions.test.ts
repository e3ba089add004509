import { expect, it } from 'vitest';
import { levelsOf } from '../supervisor/supervisor.ts';
import { mirrorProperties } from '../native/mirror.ts';
import { portSpan, regionNames, regionPortsOf, serviceNames } from './stack.ports.ts';
import { drawStack } from './stack.ts';

const at = { base: 4000, dataDir: '/data' };
const drawn = drawStack({ ...at, provider: 'native', profile: 'regions' });
const find = (name: string) => drawn.processes.find((process) => process.name === name)!;
const appsOf = (region: string) =>
  drawn.processes.flatMap(({ name, run }) => (run.kind === 'app' && name.endsWith(`-${region}`) ? [run.app] : []));
const routes = () => {
  const { run } = find('ocean');
  if (run.kind !== 'ocean') throw new Error('the ocean is none');
  return run.ocean;
};

it('draws for each region one of everything, and one ocean', () => {
  const own = ['redis-sessions', 'redis-carts', 'kafka', 'mirror', ...serviceNames, 'gateway'];
  expect(drawn.processes.map(({ name }) => name).toSorted()).toEqual(
    ['ocean', ...own.flatMap((name) => regionNames.map((region) => `${name}-${region}`))].toSorted(),
  );
});

it('gives no port to two processes, and none beyond the two spans', () => {
  const ports = drawn.processes.flatMap((process) => process.ports);
  expect(new Set(ports).size).toBe(ports.length);
  expect(Math.max(...ports)).toBeLessThan(at.base + 2 * portSpan);
});

it('opens eu at the base, us at the next port, and all other ports of us a span higher than those of eu', () => {
  expect(drawn.gateways).toEqual(['http://localhost:4000', 'http://localhost:4001']);
  expect([find('gateway-eu').ports, find('gateway-us').ports]).toEqual([[4000], [4001]]);
  for (const name of ['kafka', 'redis-sessions', 'redis-carts', ...serviceNames])
    expect(find(`${name}-us`).ports).toEqual(find(`${name}-eu`).ports.map((port) => port + portSpan));
});

it('gives eu the ports of a shop of one region', () => {
  const usual = drawStack({ ...at, provider: 'native' });
  for (const name of ['redis-sessions', 'redis-carts', ...serviceNames])
    expect(find(`${name}-eu`).ports).toEqual(usual.processes.find((process) => process.name === name)?.ports);
});

it('names a process before those that need it, and ends storage and the ocean last', () => {
  const seen = new Set<string>();
  for (const { name, needs } of drawn.processes) {
    expect(needs.filter((need) => !seen.has(need))).toEqual([]);
    seen.add(name);
  }
  expect(levelsOf(drawn.processes)[0]!.map(({ name }) => name)).toEqual([
    'ocean',
    ...regionNames.flatMap((region) => [`redis-sessions-${region}`, `redis-carts-${region}`, `kafka-${region}`]),
  ]);
});

it('tells every process its region, and the addresses of its own region alone', () => {
  for (const region of regionNames) {
    const other = regionPortsOf(at.base, region === 'eu' ? 'us' : 'eu');
    const foreign = [other.kafka, other.redisSessions, other.redisCarts, ...serviceNames.map((name) => other[name].mesh)];
    for (const { env } of appsOf(region)) {
      expect(env['REGION']).toBe(region);
      for (const port of foreign) expect(Object.values(env).join(' ')).not.toMatch(new RegExp(`:${port}\\b`));
    }
  }
});

it('tells every process where the auth of the other region is: across the ocean', () => {
  for (const region of regionNames) {
    const other = region === 'eu' ? 'us' : 'eu';
    const told = new Set(appsOf(region).map(({ env }) => env['OTHER_REGIONS']));
    expect(told).toEqual(new Set([`${other}=localhost:${regionPortsOf(at.base, other).acrossOcean.auth}`]));
  }
});

it('tells the gateways where the profiles of the other region are', () => {
  for (const region of regionNames) {
    const other = region === 'eu' ? 'us' : 'eu';
    const told = appsOf(region).flatMap(({ app, env }) => (env['PROFILE_ABROAD'] === undefined ? [] : [[app, env['PROFILE_ABROAD']]]));
    expect(told).toEqual([['gateway', `${other}=localhost:${regionPortsOf(at.base, other).acrossOcean.profile}`]]);
  }
});

it('tells the gateways where the orders of the other region are', () => {
  for (const region of regionNames) {
    const other = region === 'eu' ? 'us' : 'eu';
    const told = appsOf(region).flatMap(({ app, env }) => (env['ORDERS_ABROAD'] === undefined ? [] : [[app, env['ORDERS_ABROAD']]]));
    expect(told).toEqual([['gateway', `${other}=localhost:${regionPortsOf(at.base, other).acrossOcean.orders}`]]);
  }
});

it('lets eu decide about all stock, and tells the catalog of us where', () => {
  const told = drawn.processes.flatMap(({ name, run }) =>
    run.kind === 'app' && run.app.env['STOCK_DECIDER'] !== undefined ? [[name, run.app.env['STOCK_DECIDER']]] : [],
  );
  expect(told).toEqual([['catalog-us', `eu=localhost:${regionPortsOf(at.base, 'eu').acrossOcean.catalog}`]]);
});

it('gives each service of each region a database of its own, and all of them one mesh', () => {
  const urls = regionNames.flatMap((region) => appsOf(region).flatMap(({ env }) => env['DATABASE_URL'] ?? []));
  expect(urls).toHaveLength(8);
  expect(new Set(urls).size).toBe(8);
  expect(new Set(regionNames.flatMap((region) => appsOf(region).map(({ env }) => env['TLS_DIR'])))).toEqual(new Set(['/data/tls']));
});

it('sends everything from one region to the other through the ocean', () => {
  for (const to of regionNames) {
    const from = to === 'eu' ? 'us' : 'eu';
    const own = routes().routes.filter((route) => route.to === to);
    expect(own.map(({ name }) => name)).toEqual(['kafka', ...serviceNames]);
    expect(new Set(own.map((route) => route.from))).toEqual(new Set([from]));
    const { run } = find(`kafka-${to}`);
    const kafka = own[0]!;
    // A client that came by the ocean is sent back to it by the broker.
    expect(run.kind === 'kafka' && run.wan).toEqual({ port: kafka.targetPort, advertisedPort: kafka.listenPort });
    expect(find(`auth-${to}`).ports).toContain(own.find(({ name }) => name === 'auth')?.targetPort);
    const mirror = find(`mirror-${from}`).run;
    expect(mirror.kind === 'mirror' && mirror.mirror.brokerThere).toBe(`127.0.0.1:${kafka.listenPort}`);
  }
});

it('says of each process its region, and of the ocean none', () => {
  for (const { name, region } of drawn.processes) expect(region).toBe(name === 'ocean' ? undefined : name.slice(-2));
});

it('tells the Observatory where the ocean is commanded', () => {
  const observed = drawStack({ ...at, provider: 'native', profile: 'regions', observatory: true }).processes.at(-1)!;
  const told = observed.run.kind === 'observatory' ? observed.run.env : {};
  expect(told['OCEAN_URL']).toBe(drawn.processes[0]!.url);
  // Cart's program reads the same logs for it as for an operator.
  const logs = JSON.parse(told['CART_LOGS'] ?? '') as Record<string, Record<string, string>>;
  for (const region of ['eu', 'us'] as const) {
    const cart = appsOf(region).find(({ app }) => app === 'cart')!.env;
    expect(logs[region]).toEqual(Object.fromEntries(['KAFKA_BROKERS', 'REGION', 'OTHER_REGIONS'].map((name) => [name, cart[name]])));
  }
});

it('has a round trip of 80 ms unless told', () => {
  expect(routes().rttMs).toBe(80);
  const told = drawStack({ ...at, provider: 'native', profile: 'regions', oceanRttMs: 150 }).processes[0]!.run;
  expect(told.kind === 'ocean' && told.ocean.rttMs).toBe(150);
});

it('is drawn for native on SQLite alone', () => {
  for (const provider of ['embedded', 'docker'] as const)
    expect(() => drawStack({ ...at, provider, profile: 'regions' })).toThrow(/native alone/);
  expect(() => drawStack({ ...at, provider: 'native', profile: 'regions', database: 'postgres' })).toThrow(/SQLite alone/);
});

it('tells the mirror of us to copy four topics of eu into us, and nothing back', () => {
  const { run } = find('mirror-us');
  const text = run.kind === 'mirror' ? mirrorProperties(run.mirror) : '';
  expect(text).not.toMatch(/\$\{/);
  expect(text).toContain(String.raw`eu->us.topics=cart\\.events,session\\.revocations,identity\\.events,order\\.events`);
  expect(text).toMatch(/^eu->us\.enabled=true$/m);
  expect(text).toMatch(/^us->eu\.enabled=false$/m);
  expect(text).toMatch(/^us\.bootstrap\.servers=127\.0\.0\.1:4486$/m);
  expect(text).toMatch(/^eu\.bootstrap\.servers=127\.0\.0\.1:4201$/m);
});

it('costs a shop of one region nothing: no process, no port and no setting of it is drawn there', () => {
  for (const profile of ['usual', 'cluster'] as const) {
    const text = JSON.stringify(drawStack({ ...at, provider: 'native', profile }));
    expect(text).not.toMatch(/ocean|mirror|wan|-eu|-us\b|OTHER_REGIONS|ABROAD|DECIDER/i);
    expect(text).toContain('"REGION":"local"');
  }
});

it('lets auth take passkeys from the pages of both regions, and each gateway writes from its own alone', () => {
  for (const region of regionNames) {
    const of = (name: string) => appsOf(region).find(({ app }) => app === name)!.env['PUBLIC_ORIGINS'];
    const [own, other] = regionNames.toSorted((one) => (one === region ? -1 : 1)).map((name) => regionPortsOf(at.base, name).gateways[0]);
    expect(of('gateway')).toBe(`http://localhost:${own},http://127.0.0.1:${own}`);
    expect(of('auth')).toBe(`${of('gateway')},http://localhost:${other},http://127.0.0.1:${other}`);
  }
});
