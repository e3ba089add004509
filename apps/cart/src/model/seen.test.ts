import { describe, expect, it } from 'vitest';
import { isProblem, seenLengthMax } from '@cloakroom/contracts';
import { dotOf } from './cart.ts';
import { newCommandId, newGuest, newUser } from '../cart.harness.ts';
import { canonicalLine, lineIdOf, lineOf, parseLine } from './lines.ts';
import { decodeSeen, encodeSeen, seenCartCountMax, seenDotCountMax } from './seen.ts';

describe('a seen', () => {
  it('keeps the dots of several carts in a round trip', () => {
    const dots = [newUser(), newGuest(), newGuest()].flatMap((cartId) => [dotOf(cartId, newCommandId()), dotOf(cartId, newCommandId())]);
    expect([...(decodeSeen(encodeSeen(dots)) as string[])].sort()).toEqual([...dots].sort());
  });

  it('is empty for no dots', () => {
    expect(encodeSeen([])).toBe('');
    expect(decodeSeen('')).toEqual([]);
  });

  it('names a dot once', () => {
    const dot = dotOf(newUser(), newCommandId());
    expect(decodeSeen(encodeSeen([dot, dot]))).toEqual([dot]);
  });

  it('holds the newest 550 dots and is then still accepted', () => {
    const ada = newUser();
    const dots = Array.from({ length: seenDotCountMax + 1 }, (_, n) => dotOf(ada, newCommandId(1_000_000 + n)));
    const decoded = decodeSeen(encodeSeen(dots)) as string[];
    expect(decoded).toHaveLength(seenDotCountMax);
    expect(decoded).not.toContain(dots[0]);
    expect(decoded).toContain(dots.at(-1));
  });

  it('of as many dots and carts as there may be fits what the gateway lets in, and is accepted', () => {
    const carts = [newUser(), ...Array.from({ length: seenCartCountMax - 1 }, newGuest)];
    const dots = Array.from({ length: seenDotCountMax }, (_, n) => dotOf(carts[n % carts.length]!, newCommandId(1_000_000 + n)));
    const seen = encodeSeen(dots);
    expect(seen.length).toBeLessThanOrEqual(seenLengthMax);
    expect(decodeSeen(seen)).toHaveLength(seenDotCountMax);
  });

  it.each([
    ['not base64url', 'a+b/'],
    ['not a message', Buffer.from([0xff, 0xff]).toString('base64url')],
    ['no cart', Buffer.from([]).toString('base64url') + 'AA'],
    ['cut', encodeSeen([dotOf(newUser(), newCommandId())]).slice(0, -4)],
    ['of no cart id', Buffer.from('0a160a046e6f6e651210018bcfe568007000800000000000000000', 'hex').toString('base64url')],
  ])('is refused when it is %s', (_, seen) => {
    expect(isProblem(decodeSeen(seen))).toBe(true);
  });
});

describe('a line id', () => {
  it('is the product id when there are no options', () => {
    expect(lineIdOf(canonicalLine('mug-1', []))).toBe('mug-1');
  });

  it('decodes to its line', () => {
    const line = parseLine('shirt', [
      { name: 'size', value: 'M / L' },
      { name: 'colour', value: 'blå~"' },
    ]);
    if (isProblem(line)) throw new Error(line.detail);
    expect(lineOf(lineIdOf(line))).toEqual(line);
    expect(lineIdOf(line)).toMatch(/^~[A-Za-z0-9_-]+$/);
  });

  it('has one spelling: an id that lineIdOf would not have made is no line', () => {
    const unsorted = `~${Buffer.from(
      JSON.stringify([
        'shirt',
        [
          ['size', 'M'],
          ['colour', 'red'],
        ],
      ]),
    ).toString('base64url')}`;
    const spaced = `~${Buffer.from(JSON.stringify(['shirt', [['size', 'M']]], null, 1)).toString('base64url')}`;
    for (const id of [unsorted, spaced, '~', '~AAAA', '', 'a b', '../x', `~${'A'.repeat(10_000)}`]) expect(lineOf(id)).toBeUndefined();
  });

  it.each([
    [
      'a name twice',
      [
        { name: 'size', value: 'M' },
        { name: 'size', value: 'L' },
      ],
    ],
    ['nine options', Array.from({ length: 9 }, (_, n) => ({ name: `o${n}`, value: 'x' }))],
    ['an empty value', [{ name: 'size', value: '' }]],
    ['a name that is none', [{ name: '__proto__', value: 'x' }]],
    ['a long value', [{ name: 'size', value: 'x'.repeat(65) }]],
  ])('is refused for %s', (_, options) => {
    expect(parseLine('shirt', options)).toMatchObject({ problem: 'invalid_request' });
  });
});
