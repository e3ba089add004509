/** The packed form: every record comes back, and nothing else is taken for one. */
import { tokenModeNames } from '@cloakroom/contracts';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { userSession } from './session-store.samples.ts';
import { lookUp, pack, unpack } from './session.redis.record.ts';
import { slotOf } from './session.slots.ts';
import type { SessionRecord } from './session.store.ts';

const text = fc.string({ maxLength: 64 }).map((any) => any.replaceAll(/\p{Cc}/gu, ' '));
const name = text.filter((any) => any !== '');
const ms = fc.nat({ max: 4_000_000_000_000 });
const record: fc.Arbitrary<SessionRecord> = fc.record({
  hash: name,
  tag: fc.constant('0abc'),
  handle: name,
  subject: name,
  state: fc.constantFrom('guest', 'user'),
  mode: fc.constantFrom(...tokenModeNames),
  epoch: ms,
  globalEpoch: ms,
  createdAtMs: ms,
  authenticatedAtMs: ms,
  lastSeenAtMs: ms,
  idleExpiresAtMs: ms,
  expiresAtMs: ms,
  device: text,
  claimedGuestCart: text,
  region: text,
  generation: fc.nat(),
  rotatedAtMs: fc.integer(),
  amr: text,
});
const one: SessionRecord = { ...userSession('a'), epoch: 0 };

it('gives back each record that was packed', () => {
  fc.assert(
    fc.property(record, (any) => {
      expect(unpack(pack(any), '0abc')).toEqual(any);
    }),
  );
});
it('takes no damaged text for a session: cut short, a line too many, a number that is none', () => {
  const whole = pack(one);
  fc.assert(
    fc.property(fc.nat({ max: whole.length - 1 }), fc.string({ minLength: 1, maxLength: 1 }), (at, put) => {
      const damaged = `${whole.slice(0, at)}${put}${whole.slice(at + 1)}`;
      const found = unpack(damaged, '0abc');
      // A changed letter in a name is another name, which no index lists. A changed digit is a number again.
      if (found !== undefined) expect(pack(found).split('\n').length).toBe(damaged.replace(/\n+$/, '').split('\n').length);
    }),
  );
  for (const bad of ['', '1', '2\n' + whole.slice(2), `${whole}${'\nx'.repeat(9)}`, whole.replace('\nuh\n', '\nxh\n'), whole.slice(0, 60)])
    expect(unpack(bad, '0abc'), `${bad}`).toBeUndefined();
  for (const number of ['', '0x10', '1e3', 'NaN', ' 5', '1'.repeat(17)]) {
    const lines = whole.split('\n');
    expect(unpack(lines.with(9, number).join('\n'), '0abc'), `${number}`).toBeUndefined();
  }
});
it('finds a session in an index by its handle alone, never by a hash', () => {
  const index = '1\n7\nhandle-a\nhash-a\nhandle-b\nhash-b';
  expect(lookUp(index, 'handle-b')).toEqual({ epoch: 7, listedHash: 'hash-b' });
  expect(lookUp(index, 'hash-a')).toEqual({ epoch: 7, listedHash: undefined });
  expect(lookUp('1\n0', 'handle-a')).toEqual({ epoch: 0, listedHash: undefined });
  for (const bad of ['', '1', '2\n7', '1\nx', '1\n7\nhandle-a']) expect(lookUp(bad, 'handle-a'), `${bad}`).toBeUndefined();
});
it('knows the slot of a tag as the Redis Cluster specification has it', () => {
  expect(slotOf('123456789')).toBe(0x31c3);
});
