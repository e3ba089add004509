import { describe, expect, it } from 'vitest';
import { formatUuid, partitionOf, uuidAt, uuidInto, uuidToBytes, uuidV7, uuidV7Milliseconds } from './ids.ts';

describe('uuidV7', () => {
  it('carries its time and round-trips through bytes', () => {
    const id = uuidV7(
      1_790_000_000_123,
      Uint8Array.from({ length: 10 }, (_, i) => 250 - i),
    );
    expect(uuidV7Milliseconds(id)).toBe(1_790_000_000_123);
    expect(formatUuid(uuidToBytes(id))).toBe(id);
  });
  it.each([
    '',
    'x',
    '018f3b2a-0000-4000-8000-000000000000',
    '018F3B2A-0000-7000-8000-000000000000',
    '018f3b2a-0000-7000-c000-000000000000',
  ])('refuses %j', (id) => {
    expect(uuidV7Milliseconds(id)).toBeUndefined();
  });
});

describe('a UUID in bytes', () => {
  it('is the text that its digits spell, wherever it stands', () => {
    const bytes = Uint8Array.from({ length: 256 + 16 }, (_, at) => at);
    for (let at = 0; at < 256; at++) {
      const id = uuidAt(bytes, at);
      const hex = Buffer.from(bytes.subarray(at, at + 16)).toString('hex');
      expect(id).toBe(hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'));
      const copy = new Uint8Array(20);
      uuidInto(copy, 3, id);
      expect(Buffer.from(copy).toString('hex')).toBe(`000000${hex}00`);
    }
  });
  it.each([
    '',
    '018f3b2a000070008000000000000000',
    '018F3B2A-0000-7000-8000-000000000000',
    '018f3b2a-0000-7000-8000-00000000000g',
    '018f3b2a-0000-7000-8000-00000000000\u0430',
    '018f3b2a00000-7000-8000-000000000000',
    '018f3b2a-0000-7000-8000-0000000000000',
    '018f3b2a-0000-7000-8000-00000000000',
  ])('is not made of %j', (id) => {
    expect(() => uuidToBytes(id)).toThrow(RangeError);
  });
  it.each([15, 17])('is not read from %d bytes', (length) => {
    expect(() => formatUuid(new Uint8Array(length))).toThrow(RangeError);
  });
  it('is not read across the end', () => {
    expect(() => uuidAt(new Uint8Array(20), 5)).toThrow(RangeError);
  });
});

describe('partitionOf', () => {
  // Hashes from Kafka's own UtilsTest.testMurmur2. A key whose partition changed would orphan every cart in the log.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('agrees with the Java client on %s', (key, murmur2) => {
    expect(partitionOf(key, { partitions: 24 })).toBe((murmur2 & 0x7fffffff) % 24);
  });
});
