import { describe, expect, it } from 'vitest';
import { openSealer } from './sealed.ts';

const key = (fill: number) => Buffer.alloc(32, fill).toString('base64url');
const sealer = openSealer(key(1));

describe('a sealed value', () => {
  it('opens to what was sealed, and shows nothing of it', () => {
    const sealed = sealer.seal('{"d":"secret"}', 'signing-key:a');
    expect(sealer.open(sealed, 'signing-key:a')).toBe('{"d":"secret"}');
    expect(Buffer.from(sealed.slice(3), 'base64url').toString('latin1')).not.toContain('secret');
  });

  it('is another at each seal', () => {
    expect(sealer.seal('same', 'a')).not.toBe(sealer.seal('same', 'a'));
  });

  it('opens for its own context alone', () => {
    expect(() => sealer.open(sealer.seal('x', 'signing-key:a'), 'signing-key:b')).toThrow(/opens/);
  });

  it('does not open once a bit of it was changed, wherever', () => {
    const bytes = Buffer.from(sealer.seal('x', 'a').slice(3), 'base64url');
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1;
      expect(() => sealer.open(`s1.${changed.toString('base64url')}`, 'a')).toThrow(/opens/);
    }
  });

  it.each(['', 's1.', 's1.AAAA', '{"d":"plain"}'])('is not %j', (text) => {
    expect(() => sealer.open(text, 'a')).toThrow(/opens/);
  });

  it('opens by an old key while that is listed, and says that it wants sealing again', () => {
    const sealed = sealer.seal('x', 'a');
    const both = openSealer(`${key(2)},${key(1)}`);
    expect(both.open(sealed, 'a')).toBe('x');
    expect(both.isCurrent(sealed, 'a')).toBe(false);
    expect(both.isCurrent(both.seal('x', 'a'), 'a')).toBe(true);
    expect(() => openSealer(key(2)).open(sealed, 'a')).toThrow(/opens/);
  });
});

it.each(['', 'c2hvcnQ', `${key(1)},`, `${key(1)},${key(2)},${key(3)},${key(4)}`])('takes no keys like %j', (text) => {
  expect(() => openSealer(text)).toThrow(RangeError);
});
