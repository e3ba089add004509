/** Everything that the catalog asks of its database, on a real PostgreSQL. Its one write, the seed, is one statement. */
import { dropFreshDatabases, useFreshPostgres } from '@cloakroom/testing';
import { afterAll, describe } from 'vitest';

const adminUrl = process.env['TEST_POSTGRES_URL'];
if (adminUrl !== undefined) useFreshPostgres(adminUrl);
// The databases of these suites live as long as the file.
afterAll(dropFreshDatabases);

describe.skipIf(adminUrl === undefined)('on PostgreSQL', () => {
  describe('catalog', async () => {
    await import('./catalog.test.ts');
  });
  describe('start', async () => {
    await import('./start.test.ts');
  });
});
