import { expect, it } from 'vitest';
import { z } from 'zod';
import { adminConfig, createLogger, databaseConfig, processConfig, readEnvironment } from './index.ts';

const schema = z.object({ ...processConfig, ...adminConfig, ...databaseConfig });

it('reports every violation at once and no value', () => {
  const read = () => readEnvironment(schema, { LISTEN_PORT: '99999', DATABASE_URL: 'mysql://user:hunter2@x' });
  expect(read).toThrow(/REPLICA[^]*LISTEN_PORT[^]*ADMIN_PORT[^]*DATABASE_URL/);
  expect(read).not.toThrow(/hunter2/);
});

it('fills in what has a safe default', () => {
  const config = readEnvironment(schema, { REPLICA: 'cart-1', LISTEN_PORT: '4120', ADMIN_PORT: '0', DATABASE_URL: 'sqlite::memory:' });
  expect(config).toMatchObject({ HOST: '127.0.0.1', LOG_LEVEL: 'info', REGION: 'local', LISTEN_PORT: 4120 });
});

it('never logs a secret field, however deep', () => {
  const lines: string[] = [];
  const log = createLogger('x', 'info', { write: (line) => lines.push(line) });
  log.info(
    { token: 's3cret', request: { password: 's3cret', deeper: { cookie: 's3cret' } }, metadata: { 'x-passport': 's3cret' }, fine: 'shown' },
    'hello',
  );
  expect(lines.join('')).not.toContain('s3cret');
  expect(lines.join('')).toContain('shown');
});
