import { createHmac, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashOf, macKeys, makeToken, parseToken, readMacKeys, tagFrom, tagOf, tokenLengthMax } from './token.ts';

const keys = macKeys([Buffer.alloc(32, 1)]);
const secret = Buffer.alloc(32, 7);
const { token, key } = makeToken({ region: 'local', tag: '0abc', secret }, keys);

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const tags = fc.integer({ min: 0, max: 0xffff }).map((n) => n.toString(16).padStart(4, '0'));

describe('a token', () => {
  it('has the shape that was decided', () => {
    expect(token).toMatch(/^v1\.local\.0abc\.[\w-]{43}\.[\w-]{43}$/);
    expect(token.length).toBeLessThanOrEqual(tokenLengthMax);
  });
  it('leads back to what it was made from, for every secret, tag and region', () => {
    const regions = fc.stringMatching(/^[a-z0-9-]{1,16}$/);
    fc.assert(
      fc.property(regions, tags, bytes(32), (region, tag, random) => {
        const made = makeToken({ region, tag, secret: random }, keys);
        expect(made.key).toEqual({ tag, hash: hashOf(random) });
        expect(parseToken(made.token, keys)).toEqual({ region, key: made.key });
      }),
    );
  });
  it('is refused when any one character is another', () => {
    const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.';
    for (let at = 0; at < token.length; at++) {
      for (const digit of digits) {
        if (digit === token[at]) continue;
        expect(parseToken(token.slice(0, at) + digit + token.slice(at + 1), keys), `${digit} at ${at}`).toBeUndefined();
      }
    }
  });
  it('has one spelling: the unused bits of base64url do not make a second token of one session', () => {
    // The last of 43 digits carries 4 bits of 6 (RFC 4648 3.5): these decode to the same bytes.
    const [, , , text, mac] = token.split('.') as [string, string, string, string, string];
    for (const part of [text, mac]) {
      const same = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
        .split('')
        .map((digit) => part.slice(0, -1) + digit)
        .filter((spelling) => spelling !== part && Buffer.from(spelling, 'base64url').equals(Buffer.from(part, 'base64url')));
      expect(same).toHaveLength(3);
      for (const spelling of same) expect(parseToken(token.replace(part, spelling), keys)).toBeUndefined();
    }
  });
  it('of another key is refused, whatever it says', () => {
    const forged = makeToken({ region: 'local', tag: 'ffff', secret }, macKeys([Buffer.alloc(32, 2)]));
    expect(parseToken(forged.token, keys)).toBeUndefined();
    // The MAC of the text without its version. It fails, because the version is part of the signed text.
    const unversioned = createHmac('sha256', keys[0]).update(token.split('.').slice(1, 4).join('.')).digest('base64url');
    expect(parseToken([...token.split('.').slice(0, 4), unversioned].join('.'), keys)).toBeUndefined();
  });
  it.each([
    ['nothing', undefined],
    ['the empty string', ''],
    ['dots', '....'],
    ['a passport', 'eyJhbGciOiJFUzI1NiJ9.e30.sig'],
    ['a newline at the end', `${token}\n`],
    ['a space before', ` ${token}`],
    ['another version', token.replace('v1', 'v2')],
    ['padding', `${token}=`],
    ['a tag in capitals', token.replace('0abc', '0ABC')],
    ['letters of another script', token.replace('local', 'lоcal')],
    ['a megabyte', 'v1.'.padEnd(1_000_000, 'a')],
    ['a token and a megabyte', token + 'a'.repeat(1_000_000)],
  ])('never was ours: %s', (_name, text) => {
    expect(parseToken(text, keys)).toBeUndefined();
  });
  it('survives any text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.string().map((text) => `v1.local.0abc.${text}`),
        ),
        (text) => parseToken(text, keys) === undefined,
      ),
    );
  });
  it('does not show its secret in what the store is given', () => {
    expect(key.hash).not.toContain(secret.toString('base64url'));
    expect(key.hash).toMatch(/^[\w-]{43}$/);
  });
  it('is not made from parts that would not parse again', () => {
    expect(() => makeToken({ region: 'Local', tag: '0abc', secret }, keys)).toThrow(RangeError);
    expect(() => makeToken({ region: 'a.b', tag: '0abc', secret }, keys)).toThrow(RangeError);
    expect(() => makeToken({ region: 'local', tag: '0abcd', secret }, keys)).toThrow(RangeError);
    expect(() => makeToken({ region: 'local', tag: '0abc', secret: secret.subarray(1) }, keys)).toThrow(RangeError);
  });
});

describe('the keys of the MAC', () => {
  it('rotate without ending a session: added last, then made first, then the old one dropped', () => {
    const [old, next] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const stages = [[old], [old, next], [next, old], [next]].map(macKeys);
    for (let i = 0; i + 1 < stages.length; i++) {
      // While the change rolls out, either side must take what the other makes.
      for (const [maker, reader] of [
        [stages[i]!, stages[i + 1]!],
        [stages[i + 1]!, stages[i]!],
      ] as const) {
        const made = makeToken({ region: 'local', tag: '0abc', secret }, maker);
        expect(parseToken(made.token, reader)).toBeDefined();
      }
    }
    expect(parseToken(token, stages[3]!)).toBeUndefined();
  });
  it('are refused when short, missing or too many, without being shown', () => {
    const short = randomBytes(31);
    expect(() => macKeys([short])).toThrow(RangeError);
    expect(() => macKeys([])).toThrow(RangeError);
    expect(() => macKeys(Array.from({ length: 5 }, () => randomBytes(32)))).toThrow(RangeError);
    expect(() => readMacKeys(short.toString('base64url'))).not.toThrow(short.toString('base64url'));
  });
  it('are read from configuration, the first one first', () => {
    const [a, b] = [randomBytes(32), randomBytes(40)];
    const keys = readMacKeys(`${a.toString('base64url')}, ${b.toString('base64url')}`);
    expect(keys.map((key) => key.export())).toEqual([a, b]);
    expect(() => readMacKeys('')).toThrow(RangeError);
    expect(() => readMacKeys('not base64!'.repeat(9))).toThrow(RangeError);
  });
});

describe('the tag', () => {
  it('is the same for one user for ever', () => {
    // Pinned: another tag for the same user would orphan every session, epoch and tombstone in the store.
    expect(tagOf('u_0190f3b2-0000-7000-8000-000000000001')).toBe('5f43');
    expect(tagOf('u_0190f3b2-0000-7000-8000-000000000002')).toBe('dcad');
  });
  it('spreads users over all shards', () => {
    const used = new Set(Array.from({ length: 65_536 }, (_, i) => tagOf(`u_${i}`)));
    // 65,536 balls into as many urns leave 1/e empty.
    expect(used.size / 65_536).toBeCloseTo(1 - 1 / Math.E, 2);
  });
  it('of a guest is what the random bytes say', () => {
    expect(tagFrom(Uint8Array.from([0x0a, 0xbc]))).toBe('0abc');
    expect(() => tagFrom(Uint8Array.from([1]))).toThrow(RangeError);
  });
});
