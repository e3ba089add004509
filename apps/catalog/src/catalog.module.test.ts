import { randomBytes } from 'node:crypto';
import { Test } from '@nestjs/testing';
import { CatalogService, isProblem } from '@cloakroom/contracts';
import { connectMesh, MeshTransport, ServiceModule } from '@cloakroom/mesh';
import { createLogger, type Running, startTrace, systemClock } from '@cloakroom/platform';
import { freshDatabaseUrl } from '@cloakroom/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CatalogModule, readConfig, services, start } from './catalog.module.ts';
import { databaseToken, productCacheToken } from './injection.ts';
import { buildSearch } from './search/search.ts';

const log = createLogger('test', 'silent');
const closes: (() => void)[] = [];
const call = () => ({ budgetMs: 10_000, trace: startTrace(randomBytes) });
let running: Running;

beforeAll(async () => {
  // No process answers at auth's address: browsing must work without auth.
  const env = {
    REPLICA: '1',
    LISTEN_PORT: '0',
    ADMIN_PORT: '0',
    MESH_TLS: 'off',
    DATABASE_URL: await freshDatabaseUrl(),
    AUTH_ADDRESS: 'localhost:1',
  };
  running = await start(readConfig(env), { log, clock: systemClock });
});
afterAll(async () => {
  closes.forEach((close) => close());
  await running.stop();
});

it('lists and gives products over the mesh, without auth and without a person', async () => {
  const { client, close } = connectMesh(CatalogService, { address: `localhost:${running.url.split(':')[1]}`, tls: undefined, log });
  const page = await client.listProducts(call(), { query: 'umbrela', pageSize: 1 });
  expect(isProblem(page) ? page : page.items[0]?.productId).toBe('storm-umbrella');
  const got = await client.getProducts(call(), { productIds: ['storm-umbrella'] });
  expect(isProblem(got) ? got : got.items[0]?.price).toBe(6900n);
  expect(await client.listProducts(call(), { pageSize: 101 })).toMatchObject({
    problem: 'invalid_request',
    detail: 'pageSize: at most 100',
  });
  close();
});

it('answers a call that is under way at the stop before its database closes', async () => {
  const seen: string[] = [];
  const [entered, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const look = async () => {
    entered.resolve();
    await gate.promise;
    seen.push('answered');
    return { items: [], search: buildSearch([]) };
  };
  const close = () => void seen.push('closed');
  const { client, app } = await serve({ database: { onApplicationShutdown: close }, cache: { look } });
  const answer = client.suggest(call(), { query: 'umbrella' });
  await entered.promise;
  const stopping = app.close();
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  gate.resolve();
  expect(await answer).toMatchObject({ products: [], categories: [] });
  await stopping;
  expect(seen).toEqual(['answered', 'closed']);
});

it('does not start without its controller', async () => {
  await expect(serve({ controllers: [] })).rejects.toThrow('CatalogService/ListProducts has no handler');
});

/** The module with fakes in the place of the database and of what was read from it. */
async function serve(given: { database?: object; cache?: object; controllers?: [] }) {
  const config = readConfig({
    REPLICA: '1',
    LISTEN_PORT: '0',
    ADMIN_PORT: '0',
    MESH_TLS: 'off',
    DATABASE_URL: 'sqlite::memory:',
    AUTH_ADDRESS: 'localhost:1',
  });
  const module = CatalogModule.with(config, { log, clock: systemClock });
  const compiled = await Test.createTestingModule({
    imports: [ServiceModule.of({ ...module, ...(given.controllers && { controllers: given.controllers }) }, services)],
  })
    .overrideProvider(databaseToken)
    .useValue(given.database ?? {})
    .overrideProvider(productCacheToken)
    .useValue(given.cache ?? {})
    .compile();
  const strategy = compiled.get(MeshTransport);
  const app = compiled.createNestMicroservice({ strategy, logger: false });
  try {
    await app.listen();
  } catch (error) {
    await app.close();
    throw error;
  }
  const { client, close } = connectMesh(CatalogService, { address: `127.0.0.1:${strategy.port}`, tls: undefined, log });
  closes.push(close);
  return { client, app };
}
