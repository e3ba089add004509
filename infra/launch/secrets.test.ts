import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { developerSecret } from '@cloakroom/mesh';
import { describe, expect, it } from 'vitest';
import { developerSecretFile } from '../stack/stack.observatory.ts';
import { becomeRegion } from './become-region.ts';
import { keyEncryptionKey, newMeshSecret, refreshTokenKey, sessionMacKey } from './secrets.ts';

it('each start has its own secret for the caller developer, made as the mesh makes it, for the owner’s eyes alone', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'secrets-'));
  try {
    const file = join(dataDir, developerSecretFile);
    const first = newMeshSecret(dataDir);
    expect(readFileSync(file, 'utf8')).toBe(developerSecret(first));
    const second = newMeshSecret(dataDir);
    expect(readFileSync(file, 'utf8')).toBe(developerSecret(second));
    expect(readFileSync(file, 'utf8')).not.toContain(second);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  } finally {
    rmSync(dataDir, { recursive: true });
  }
});

const inFolder = (test: (dataDir: string) => void) => () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'secrets-'));
  try {
    test(dataDir);
  } finally {
    rmSync(dataDir, { recursive: true });
  }
};

describe('two regions', () => {
  it(
    'have keys of their own for what auth alone opens, each the same at every start',
    inFolder((dataDir) => {
      for (const keyOf of [keyEncryptionKey, refreshTokenKey]) {
        const keys = ['eu', 'us'].map((region) => keyOf(dataDir, region));
        expect(new Set(keys).size).toBe(2);
        expect(['eu', 'us'].map((region) => keyOf(dataDir, region))).toEqual(keys);
      }
      for (const region of ['eu', 'us']) expect(statSync(join(dataDir, `key-encryption-${region}.key`)).mode & 0o777).toBe(0o600);
    }),
  );

  it(
    'go on with the one key of a folder from before, which sealed what both hold',
    inFolder((dataDir) => {
      const before = keyEncryptionKey(dataDir);
      expect(['eu', 'us'].map((region) => keyEncryptionKey(dataDir, region))).toEqual([before, before]);
    }),
  );

  it(
    'made of a shop of one region: eu has its keys and files, and us has new ones',
    inFolder((folder) => {
      const [one, two] = [join(folder, 'one'), join(folder, 'two')];
      for (const name of ['redis-sessions', 'redis-carts', 'kafka', 'db', 'tls']) mkdirSync(join(one, name), { recursive: true });
      for (const name of ['auth.sqlite', 'auth.sqlite-wal', 'orders.sqlite']) writeFileSync(join(one, 'db', name), name);
      const before = [sessionMacKey(one), keyEncryptionKey(one), refreshTokenKey(one)];
      becomeRegion(one, two, 'eu');
      expect([sessionMacKey(two), keyEncryptionKey(two, 'eu'), refreshTokenKey(two, 'eu')]).toEqual(before);
      expect(before).not.toContain(keyEncryptionKey(two, 'us'));
      expect(readFileSync(join(two, 'db', 'auth-eu.sqlite-wal'), 'utf8')).toBe('auth.sqlite-wal');
      expect(existsSync(join(two, 'kafka-eu'))).toBe(true);
      expect(() => becomeRegion(two, two, 'eu')).toThrow();
    }),
  );

  it(
    'of which one has data already take no other shop in',
    inFolder((folder) => {
      const [one, two] = [join(folder, 'one'), join(folder, 'two')];
      for (const name of [join(one, 'db'), join(two, 'kafka-eu')]) mkdirSync(name, { recursive: true });
      expect(() => becomeRegion(one, two, 'eu')).toThrow(/has kafka-eu already/);
    }),
  );
});
