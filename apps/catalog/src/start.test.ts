import { randomBytes } from 'node:crypto';
import { CatalogService, isProblem } from '@cloakroom/contracts';
import { connectMesh } from '@cloakroom/mesh';
import { createLogger, type Running, startTrace, systemClock } from '@cloakroom/platform';
import { freshDatabaseUrl } from '@cloakroom/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readConfig, start } from './start.ts';

const log = createLogger('test', 'silent');
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
afterAll(() => running.stop());

it('lists and gives products over the mesh, without auth and without a person', async () => {
  const { client, close } = connectMesh(CatalogService, { address: `localhost:${running.url.split(':')[1]}`, tls: undefined, log });
  const call = () => ({ budgetMs: 1_000, trace: startTrace(randomBytes) });
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
