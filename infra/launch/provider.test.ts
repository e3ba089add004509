import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { chooseProvider } from './provider.ts';

const urls = { KAFKA_BROKERS: 'kafka:9092', SESSION_REDIS_URL: 'redis://sessions', CART_REDIS_URL: 'redis://carts' };
let folder: string;
let said: string[];
const around = (env: NodeJS.ProcessEnv) => ({ env, toolsDir: join(folder, 'tools'), say: (line: string) => void said.push(line) });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cloakroom-provider-'));
  said = [];
  // An empty machine, on which nothing may be installed.
  vi.stubEnv('PATH', folder);
  vi.stubEnv('JAVA_HOME', '');
  vi.stubEnv('CLOAKROOM_NO_INSTALL', '1');
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

it('takes embedded where nothing else can be had, and says why and how to get the others', async () => {
  const chosen = await chooseProvider('auto', around({}));
  expect(chosen.provider).toBe('embedded');
  expect(chosen.why).toMatch(/no redis-server.*for native: .*redis.*for external: .*\.env\.example/);
});

it('takes external when all its URLs are set', async () => {
  expect(await chooseProvider('auto', around(urls))).toMatchObject({ provider: 'external', external: { kafkaBrokers: 'kafka:9092' } });
});

it('says which URL is missing rather than ignoring the others in silence', async () => {
  await chooseProvider('auto', around({ ...urls, CART_REDIS_URL: '' }));
  expect(said).toContain('not external: CART_REDIS_URL not set');
});

it('refuses what was asked for by name and cannot be had, with the remedy', async () => {
  await expect(chooseProvider('native', around({}))).rejects.toMatchObject({
    message: expect.stringMatching(/redis-server/),
    remedy: expect.stringMatching(/redis/),
  });
  await expect(chooseProvider('external', around({}))).rejects.toThrow(/KAFKA_BROKERS, SESSION_REDIS_URL, CART_REDIS_URL/);
});

it('makes demo accounts in external when SEED_ACCOUNTS asks for them, and never unasked', async () => {
  expect((await chooseProvider('external', around(urls))).external?.seedAccounts).toBe(false);
  expect((await chooseProvider('external', around({ ...urls, SEED_ACCOUNTS: 'true' }))).external?.seedAccounts).toBe(true);
});

it('takes PostgreSQL for external when there is a URL for each service, by one server’s URL or each its own', async () => {
  const one = await chooseProvider('external', around({ ...urls, DATABASE_URL: 'postgres://me:x@db:5432/?sslmode=require' }));
  expect(one.external?.databaseUrls).toEqual({
    auth: 'postgres://me:x@db:5432/auth?sslmode=require',
    profile: 'postgres://me:x@db:5432/profile?sslmode=require',
    catalog: 'postgres://me:x@db:5432/catalog?sslmode=require',
    orders: 'postgres://me:x@db:5432/orders?sslmode=require',
  });
  const mixed = await chooseProvider(
    'external',
    around({ ...urls, DATABASE_URL: 'postgres://db', DATABASE_URL_AUTH: 'postgres://other/a' }),
  );
  expect(mixed.external?.databaseUrls?.auth).toBe('postgres://other/a');
  const some = await chooseProvider('external', around({ ...urls, DATABASE_URL_AUTH: 'postgres://other/a' }));
  expect(some.external?.databaseUrls).toBeUndefined();
});
