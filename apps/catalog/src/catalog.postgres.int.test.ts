/** Everything that the catalog asks of its database, on a real PostgreSQL, with two replicas at its stock. */
import { dropFreshDatabases, useFreshPostgres } from '@cloakroom/testing';
import { afterAll, describe } from 'vitest';

const adminUrl = process.env['TEST_POSTGRES_URL'];
if (adminUrl !== undefined) useFreshPostgres(adminUrl);
afterAll(() => useFreshPostgres(undefined));
// The databases of these suites live as long as the file.
afterAll(dropFreshDatabases);

describe.skipIf(adminUrl === undefined)('on PostgreSQL', () => {
  describe('catalog', async () => {
    await import('./catalog.test.ts');
  });
  describe('stock', async () => {
    await import('./stock/stock.test.ts');
  });
  describe('share', async () => {
    await import('./stock/stock-share.test.ts');
  });
  describe('start', async () => {
    await import('./catalog.module.test.ts');
  });
});
