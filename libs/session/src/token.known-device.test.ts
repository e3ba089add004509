import { randomBytes, randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { hashOf, knownDeviceLengthMax, macKeys, makeKnownDevice, makeToken, parseKnownDevice, parseToken } from './token.ts';

const keys = macKeys([Buffer.alloc(32, 1)]);
const subject = `u_${randomUUID()}`;

it('names its account and a device, and is kept by a hash that makes no cookie', () => {
  const secret = randomBytes(32);
  const { cookie, hash } = makeKnownDevice(subject, secret, keys);
  expect(parseKnownDevice(cookie, keys)).toEqual({ subject, hash });
  expect(hash).toBe(hashOf(secret));
  expect(cookie).not.toContain(hash);
  expect(cookie.length).toBeLessThanOrEqual(knownDeviceLengthMax);
});

it('is refused with any one character changed, and under another key', () => {
  const { cookie } = makeKnownDevice(subject, Buffer.alloc(32, 9), keys);
  for (let at = 0; at < cookie.length; at++) {
    const other = cookie[at] === 'A' ? 'B' : 'A';
    expect(parseKnownDevice(cookie.slice(0, at) + other + cookie.slice(at + 1), keys)).toBeUndefined();
  }
  expect(parseKnownDevice(cookie, macKeys([Buffer.alloc(32, 2)]))).toBeUndefined();
  for (const text of [undefined, '', 'd1', `${cookie}A`, cookie.replace('u_', 'g_')]) expect(parseKnownDevice(text, keys)).toBeUndefined();
});

it('lives through a change of keys', () => {
  const { cookie } = makeKnownDevice(subject, Buffer.alloc(32, 9), keys);
  expect(parseKnownDevice(cookie, macKeys([Buffer.alloc(32, 2), Buffer.alloc(32, 1)]))).toMatchObject({ subject });
});

it('is no session token, and a session token is no known device, though one key makes both', () => {
  const { token } = makeToken({ region: 'local', tag: '00ff', secret: Buffer.alloc(32, 9) }, keys);
  const { cookie } = makeKnownDevice(subject, Buffer.alloc(32, 9), keys);
  expect(parseToken(cookie, keys)).toBeUndefined();
  expect(parseKnownDevice(token, keys)).toBeUndefined();
  const mac = token.slice(token.lastIndexOf('.') + 1);
  expect(cookie.endsWith(mac)).toBe(false);
});

it('is for users only', () => {
  expect(() => makeKnownDevice(`g_${randomUUID()}`, Buffer.alloc(32), keys)).toThrow('only a user');
});
