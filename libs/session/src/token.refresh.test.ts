import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  keyOfHandle,
  macKeys,
  makeRefreshToken,
  makeToken,
  parseRefreshToken,
  parseToken,
  readRefreshToken,
  refreshTokenLengthMax,
} from './token.ts';

const keys = macKeys([Buffer.alloc(32, 1)]);
const other = macKeys([Buffer.alloc(32, 2)]);
const parts = { region: 'local', tag: '0abc', handle: '0f8fad5b-d9cb-469f-a165-70867728950e', generation: 7 };

it('gives back what it was made of, and is the same token each time', () => {
  const token = makeRefreshToken(parts, keys);
  expect(makeRefreshToken(parts, keys)).toBe(token);
  expect(parseRefreshToken(token, keys)).toEqual(parts);
  expect(readRefreshToken(token)).toEqual(parts);
});
it('is refused with another key, but for its form', () => {
  const token = makeRefreshToken(parts, keys);
  expect(parseRefreshToken(token, other)).toBeUndefined();
  expect(parseRefreshToken(token, [other[0], keys[0]]), 'while keys are being replaced').toEqual(parts);
});
it('is refused with any one letter changed: another session, another number, another spelling', () => {
  const token = makeRefreshToken(parts, keys);
  fc.assert(
    fc.property(fc.nat(token.length - 1), fc.constantFrom('0', '1', 'a', 'A', '.', '-', '_'), (at, letter) => {
      const changed = token.slice(0, at) + letter + token.slice(at + 1);
      expect(parseRefreshToken(changed, keys)).toEqual(changed === token ? parts : undefined);
    }),
  );
});
it('has one spelling for each number', () => {
  for (const text of ['07', '+7', '7.0', '-1', '', '12345678901', '1e3']) {
    expect(readRefreshToken(makeRefreshToken(parts, keys).replace('.7.', `.${text}.`)), `as "${text}"`).toBeUndefined();
  }
});
it('answers anything with a value or undefined, never by throwing', () => {
  fc.assert(fc.property(fc.string(), (text) => parseRefreshToken(text, keys) === undefined));
  expect(readRefreshToken('r'.repeat(refreshTokenLengthMax + 1))).toBeUndefined();
  expect(parseRefreshToken(undefined, keys)).toBeUndefined();
});
it('is never taken for a session token, nor the other way round', () => {
  const { token } = makeToken({ region: 'local', tag: '0abc', secret: Buffer.alloc(32, 3) }, keys);
  expect(parseRefreshToken(token, keys)).toBeUndefined();
  expect(parseToken(makeRefreshToken(parts, keys), keys)).toBeUndefined();
});
it('is not made of parts that would not parse again', () => {
  for (const wrong of [{ handle: 'a.b' }, { handle: '' }, { generation: -1 }, { generation: 1.5 }, { tag: 'xyz' }, { region: 'A' }])
    expect(() => makeRefreshToken({ ...parts, ...wrong }, keys)).toThrow(RangeError);
});
it('points to a record that no session token can point to', () => {
  // 32 bytes are a secret, 36 are a handle.
  expect(keyOfHandle('0abc', parts.handle).hash).toHaveLength(43);
  expect(Buffer.byteLength(parts.handle)).not.toBe(32);
});
