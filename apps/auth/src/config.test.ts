import { expect, it } from 'vitest';
import { readConfig } from './config.ts';

const env = {
  REPLICA: '1',
  LISTEN_PORT: '0',
  ADMIN_PORT: '0',
  DATABASE_URL: 'sqlite::memory:',
  SESSION_STORE: 'memory',
  EVENT_LOG: 'embedded',
  MESH_TLS: 'off',
  SESSION_MAC_KEY: Buffer.alloc(32, 1).toString('base64url'),
  KEY_ENCRYPTION_KEY: Buffer.alloc(32, 2).toString('base64url'),
  REFRESH_TOKEN_KEY: Buffer.alloc(32, 3).toString('base64url'),
};

it('takes hybrid by default, and seeds nobody', () => {
  expect(readConfig(env)).toMatchObject({ SESSION_MODE: 'hybrid', SESSION_MODES: ['reference', 'hybrid'], SEED_ACCOUNTS: false });
});

it.each([
  [{ SESSION_MAC_KEY: 'c2hvcnQ' }, /SESSION_MAC_KEY: .*32 bytes/],
  [{ KEY_ENCRYPTION_KEY: 'c2hvcnQ' }, /KEY_ENCRYPTION_KEY: .*32 bytes/],
  [{ SESSION_STORE: 'redis' }, /SESSION_REDIS_URL/],
  [{ EVENT_LOG: 'kafka' }, /KAFKA_BROKERS/],
  [{ MESH_TLS: 'mutual' }, /TLS_DIR/],
  [{ SESSION_MODES: 'reference' }, /SESSION_MODE/],
  [{ SESSION_MODES: 'jwt' }, /SESSION_MODES/],
])('refuses %j', (wrong, message) => {
  expect(() => readConfig({ ...env, ...wrong })).toThrow(message);
  expect(() => readConfig({ ...env, ...wrong })).not.toThrow(/c2hvcnQ/);
});
