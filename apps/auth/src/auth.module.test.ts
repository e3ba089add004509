/** Puts the parts of auth together as its module says, with fakes where a test needs them. */
import { randomBytes } from 'node:crypto';
import { Test } from '@nestjs/testing';
import { AuthService, isProblem, problem } from '@cloakroom/contracts';
import { eventLogToken } from '@cloakroom/identity';
import { connectMesh, developerSecret, guardMesh, MeshTransport, ServiceModule } from '@cloakroom/mesh';
import { createLogger, startTrace, systemClock } from '@cloakroom/platform';
import { StoreUnavailable } from '@cloakroom/session';
import { afterEach, expect, it, vi } from 'vitest';
import type { Auth } from './auth.ts';
import { AuthModule, readConfig, services } from './auth.module.ts';
import { ok } from './auth.harness.ts';
import {
  abroadToken,
  authToken,
  databaseToken,
  housekeepingToken,
  keysToken,
  passwordsToken,
  relayToken,
  storeToken,
} from './injection.ts';

const log = createLogger('auth-test', 'silent');
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
  vi.restoreAllMocks();
});

const key = (byte: number): string => Buffer.alloc(32, byte).toString('base64url');
const config = readConfig({
  REPLICA: '1',
  LISTEN_PORT: '0',
  ADMIN_PORT: '0',
  MESH_TLS: 'off',
  EVENT_LOG: 'embedded',
  DATABASE_URL: 'sqlite::memory:',
  SESSION_STORE: 'memory',
  SESSION_MAC_KEY: key(1),
  KEY_ENCRYPTION_KEY: key(2),
  REFRESH_TOKEN_KEY: key(3),
  SEED_ACCOUNTS: 'true',
});
/** Takes no time, as argon2 would. */
const passwords = {
  hash: (password: string) => Promise.resolve(`hash of ${password}`),
  matches: (hash: string | undefined, password: string) => Promise.resolve(hash === `hash of ${password}`),
};
const call = () => ({ budgetMs: 5_000, trace: startTrace(randomBytes) });
const ada = { email: 'ada@example.com', password: 'correct horse battery staple' };

const compile = (module = AuthModule.with(config, { log, clock: systemClock })) =>
  Test.createTestingModule({ imports: [ServiceModule.of(module, services)] })
    .overrideProvider(passwordsToken)
    .useValue(passwords);

async function listen(compiling: ReturnType<typeof compile>): Promise<MeshTransport> {
  const compiled = await compiling.compile();
  const strategy = compiled.get(MeshTransport);
  const app = compiled.createNestMicroservice({ strategy, logger: false });
  await app.listen();
  stops.push(() => app.close());
  return strategy;
}

async function serve(compiling = compile()) {
  const { port } = await listen(compiling);
  const { client, close } = connectMesh(AuthService, { address: `127.0.0.1:${port}`, tls: undefined, log });
  stops.push(close);
  return client;
}

it('signs a demo person in as soon as its port is open', async () => {
  const client = await serve();
  expect(ok(await client.login(call(), ada)).session).toMatchObject({ email: ada.email });
});

it.each([
  ['embedded', 'ok'],
  ['external', 'forbidden'],
] as const)('answers a developer who wants a passport, with the provider %s: %s', async (PROVIDER, expected) => {
  stops.push(guardMesh('of this start'));
  const strategy = await listen(compile(AuthModule.with({ ...config, PROVIDER }, { log, clock: systemClock })));
  const address = `127.0.0.1:${strategy.port}`;
  const { client, close } = connectMesh(AuthService, { address, tls: undefined, log, secret: developerSecret('of this start') });
  stops.push(close);
  const answer = await client.resolve(call(), { token: 'none', audience: 'cart' });
  expect(isProblem(answer) ? answer.problem : 'ok').toBe(expected);
});

it('knows no other region and opens no connection to one where there is one region', async () => {
  const compiled = await compile().compile();
  stops.push(() => compiled.close());
  expect([compiled.get(abroadToken), compiled.get<Auth>(authToken).abroad]).toEqual([null, undefined]);
});

it('says that identity is unavailable while the store is away, and still gives out its keys', async () => {
  const away = (): Promise<never> => Promise.reject(new StoreUnavailable('gone'));
  const client = await serve(compile().overrideProvider(storeToken).useValue({ create: away }));
  expect(await client.createGuest(call(), {})).toEqual(problem('identity_unavailable', undefined, 1));
  expect(ok(await client.getKeys(call(), {})).jwks).toContain('ES256');
});

it.each(['AuthService/CreateGuest', 'AccountService/ChangePassword', 'TokenExchangeService/ExchangeToken', 'RegionsService/LoginAtHome'])(
  'does not start without the controller of %s',
  async (rpc) => {
    const module = AuthModule.with(config, { log, clock: systemClock });
    const controllers = module.controllers!.filter(({ name }) => !rpc.startsWith(name.replace('Controller', 'Service')));
    expect(controllers).toHaveLength(3);
    const compiled = await compile({ ...module, controllers }).compile();
    const app = compiled.createNestMicroservice({ strategy: compiled.get(MeshTransport), logger: false });
    await expect(app.listen()).rejects.toThrow(`${rpc} has no handler`);
    await app.close();
  },
);

it('seeds accounts before it relays, and stops what commits, then the relay, then the connections', async () => {
  const compiled = await compile().compile();
  const seen: string[] = [];
  type Part = Record<'onApplicationBootstrap' | 'onApplicationShutdown', (() => Promise<void>) | undefined>;
  const watch = (name: string, token: symbol, hook: keyof Part): void => {
    const part = compiled.get<Part>(token, { strict: false });
    const run = part[hook]!;
    part[hook] = async () => {
      seen.push(`${name} begins`);
      await run.call(part);
      seen.push(name);
    };
  };
  watch('seed', authToken, 'onApplicationBootstrap');
  watch('start relay', relayToken, 'onApplicationBootstrap');
  const stopping = { housekeeping: housekeepingToken, relay: relayToken, keys: keysToken, store: storeToken, database: databaseToken };
  for (const [name, token] of Object.entries({ ...stopping, log: eventLogToken })) watch(name, token, 'onApplicationShutdown');
  const closeMesh = MeshTransport.prototype.close;
  vi.spyOn(MeshTransport.prototype, 'close').mockImplementation(async function (this: MeshTransport) {
    await closeMesh.call(this);
    seen.push('mesh');
  });
  const app = compiled.createNestMicroservice({ strategy: compiled.get(MeshTransport), logger: false });
  await app.listen();
  expect(seen).toEqual(['seed begins', 'seed', 'start relay begins', 'start relay']);
  seen.length = 0;
  await app.close();
  expect(seen.slice(0, 5)).toEqual(['mesh', 'housekeeping begins', 'housekeeping', 'relay begins', 'relay']);
  for (const connection of ['store', 'database', 'log']) expect(seen.indexOf(connection)).toBeGreaterThan(4);
  for (const user of ['keys', 'store']) expect(seen.indexOf(user)).toBeLessThan(seen.indexOf('database begins'));
});
