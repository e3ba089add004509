import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { becomeRegion } from './become-region.ts';

let root: string;
let from: string;
let to: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'become-region-'));
  [from, to] = [join(root, 'alone'), join(root, 'two')] as [string, string];
  for (const folder of ['db', 'tls', 'redis-sessions', 'redis-carts', 'kafka']) mkdirSync(join(from, folder), { recursive: true });
  for (const file of ['db/auth.sqlite', 'db/auth.sqlite-wal', 'session-mac.key', 'refresh-token.key', 'key-encryption.key'])
    writeFileSync(join(from, file), file);
});
afterEach(() => rmSync(root, { recursive: true }));

it("moves the files of a shop of one region to the region's places", () => {
  becomeRegion(from, to, 'eu');
  expect(readdirSync(to).toSorted()).toEqual(
    [
      'db',
      'kafka-eu',
      'key-encryption-eu.key',
      'redis-carts-eu',
      'redis-sessions-eu',
      'refresh-token-eu.key',
      'session-mac.key',
      'tls',
    ].toSorted(),
  );
  expect(readdirSync(join(to, 'db')).toSorted()).toEqual(['auth-eu.sqlite', 'auth-eu.sqlite-wal']);
});

it('moves nothing where something is missing, or there already', () => {
  const before = readdirSync(from);
  mkdirSync(join(to, 'tls'), { recursive: true });
  expect(() => becomeRegion(from, to, 'eu')).toThrow('has tls already');
  rmSync(to, { recursive: true });
  rmSync(join(from, 'kafka'), { recursive: true });
  expect(() => becomeRegion(from, to, 'eu')).toThrow(`${from} has no kafka`);
  expect(readdirSync(from)).toEqual(before.filter((name) => name !== 'kafka'));
});
