import { describe, expect, it } from 'vitest';
import { readConfig } from '../config.ts';
import { modelNames } from './model.ts';

const env = (more: Record<string, string>) => ({
  SERVICE_NAME: 'cart',
  REPLICA: '1',
  LISTEN_PORT: '1',
  ADMIN_PORT: '2',
  AUTH_ADDRESS: 'localhost:3',
  CART_VIEW: 'memory',
  EVENT_LOG: 'embedded',
  MESH_TLS: 'off',
  ...more,
});

describe('which rules a cart follows', () => {
  it('follows the right ones unless it is told otherwise', () => {
    expect(readConfig(env({ PROVIDER: 'external' })).CART_MODEL).toBe('dots');
  });

  it('takes wrong ones in a shop on one machine alone', () => {
    for (const model of modelNames.filter((name) => name !== 'dots')) {
      expect(readConfig(env({ PROVIDER: 'embedded', CART_MODEL: model })).CART_MODEL).toBe(model);
      expect(readConfig(env({ PROVIDER: 'native', CART_MODEL: model })).CART_MODEL).toBe(model);
      for (const PROVIDER of ['external', 'docker']) expect(() => readConfig(env({ PROVIDER, CART_MODEL: model }))).toThrow(/CART_MODEL/);
    }
  });

  it('refuses rules that nobody knows', () => {
    expect(() => readConfig(env({ PROVIDER: 'embedded', CART_MODEL: 'sum' }))).toThrow(/CART_MODEL/);
  });
});
