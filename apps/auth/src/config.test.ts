import { isProblem } from '@cloakroom/contracts';
import { expect, it } from 'vitest';
import { openSharedThrottle } from './auth.module.ts';
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

it('the default mode is hybrid, and no account is seeded', () => {
  expect(readConfig(env)).toMatchObject({ SESSION_MODE: 'hybrid', SESSION_MODES: ['reference', 'hybrid'], SEED_ACCOUNTS: false });
});

it.each([
  [{ SESSION_MAC_KEY: 'c2hvcnQ' }, /SESSION_MAC_KEY: .*32 bytes/],
  [{ KEY_ENCRYPTION_KEY: 'c2hvcnQ' }, /KEY_ENCRYPTION_KEY: .*32 bytes/],
  [{ SESSION_STORE: 'redis' }, /SESSION_REDIS_URL/],
  [{ SESSION_STORE: 'file' }, /SESSION_FILE/],
  [{ SESSION_FILE: 'sessions.sqlite' }, /SESSION_FILE/],
  [{ EVENT_LOG: 'kafka' }, /KAFKA_BROKERS/],
  [{ MESH_TLS: 'mutual' }, /TLS_DIR/],
  [{ SESSION_MODES: 'reference' }, /SESSION_MODE/],
  [{ SESSION_MODES: 'jwt' }, /SESSION_MODES/],
  [{ ACCOUNT_FAILURE_LIMIT_PER_15_MIN: '0' }, /ACCOUNT_FAILURE_LIMIT_PER_15_MIN/],
  [{ ACCOUNT_FAILURE_LIMIT_PER_15_MIN: '101' }, /ACCOUNT_FAILURE_LIMIT_PER_15_MIN/],
  [{ ADDRESS_FAILURE_LIMIT_PER_15_MIN: '9' }, /ADDRESS_FAILURE_LIMIT_PER_15_MIN: must not be below ACCOUNT/],
  [{ GUEST_LIMIT_PER_HOUR: '20001' }, /GUEST_LIMIT_PER_HOUR_IN_ALL: must not be below GUEST_LIMIT_PER_HOUR/],
])('%j is refused', (wrong, message) => {
  expect(() => readConfig({ ...env, ...wrong })).toThrow(message);
  expect(() => readConfig({ ...env, ...wrong })).not.toThrow(/c2hvcnQ/);
});

it('the environment can set every bound of the throttle', async () => {
  const config = readConfig({ ...env, ACCOUNT_FAILURE_LIMIT_PER_15_MIN: '3', ADDRESS_FAILURE_LIMIT_PER_15_MIN: '5' });
  const throttle = openSharedThrottle(config, null);
  const failed = async (of: string) => isProblem(await throttle.begin({ at: 'password', of, address: '192.0.2.1', known: 'stranger' }));
  for (const refused of [false, false, false, true]) expect(await failed('ada@example.com')).toBe(refused);
  for (const refused of [false, false, true]) expect(await failed('grace@example.com')).toBe(refused);
});
