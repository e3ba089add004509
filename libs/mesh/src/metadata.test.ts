import { Metadata } from '@grpc/grpc-js';
import { problem } from '@cloakroom/contracts';
import { describe, expect, it } from 'vitest';
import { formatTimings, parseTimings, readCallMetadata, resemblesCallMetadata, writeCallMetadata } from './metadata.ts';

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const full = { passport: 'a.b.c', traceparent, experiment: 'lab-1', consistency: 'local:3:42' };

function metadataOf(entries: readonly (readonly [string, string | Buffer])[]): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of entries) metadata.add(name, value);
  return metadata;
}

describe('call metadata', () => {
  it('is read as it was written', () => {
    expect(readCallMetadata(writeCallMetadata(full))).toEqual(full);
    expect(readCallMetadata(new Metadata())).toEqual({
      passport: undefined,
      accessToken: undefined,
      traceparent: undefined,
      experiment: undefined,
      consistency: undefined,
    });
  });

  it.each([
    [
      'two passports',
      [
        ['x-passport', 'a.b.c'],
        ['x-passport', 'd.e.f'],
      ],
    ],
    ['a comma', [['x-passport', 'a.b.c,d.e.f']]],
    ['a blank', [['x-passport', 'a.b.c ']]],
    ['an empty passport', [['x-passport', '']]],
    ['an underscore', [['x_passport', 'a.b.c']]],
    [
      'an underscore beside it',
      [
        ['x-passport', 'a.b.c'],
        ['x_passport', 'a.b.c'],
      ],
    ],
    ['a binary twin', [['x-passport-bin', Buffer.from('a.b.c')]]],
    ['a dot', [['x.passport', 'a.b.c']]],
    [
      'an access token beside a passport',
      [
        ['x-passport', 'a.b.c'],
        ['x-access-token', 'a.b.c'],
      ],
    ],
    [
      'two access tokens',
      [
        ['x-access-token', 'a.b.c'],
        ['x-access-token', 'a.b.c'],
      ],
    ],
    ['a look-alike of an access token', [['x_access_token', 'a.b.c']]],
    [
      'a malformed access token beside a passport',
      [
        ['x-passport', 'a.b.c'],
        ['x-access-token', 'a b'],
      ],
    ],
  ] as const)('refuses %s', (_what, entries) => {
    expect(readCallMetadata(metadataOf(entries))).toEqual(problem('invalid_passport', 'ambiguous metadata'));
  });

  it('knows a passport in any case as the one name', () => {
    expect(readCallMetadata(metadataOf([['X-Passport', 'a.b.c']]))).toMatchObject({ passport: 'a.b.c' });
    expect(
      readCallMetadata(
        metadataOf([
          ['X-Passport', 'a.b.c'],
          ['x-passport', 'a.b.c'],
        ]),
      ),
    ).toHaveProperty('problem');
  });

  it('takes what is not acceptable elsewhere for not sent', () => {
    const metadata = metadataOf([
      ['traceparent', `${traceparent},${traceparent}`],
      ['x-experiment-id', 'a b'],
      ['x-consistency-token', 'local:3:42'],
      ['x-consistency-token', 'local:3:43'],
      ['x-experiment-id-bin', Buffer.from('x')],
    ]);
    expect(readCallMetadata(metadata)).toEqual({
      passport: undefined,
      traceparent: undefined,
      experiment: undefined,
      consistency: undefined,
    });
  });

  it('never sends what it would not read', () => {
    expect(() => writeCallMetadata({ passport: 'a.b.c,d.e.f' })).toThrow(RangeError);
    expect(writeCallMetadata({ consistency: 'from a\nbrowser', experiment: 'x'.repeat(65) }).getMap()).toEqual({});
  });
});

describe('resemblesCallMetadata', () => {
  it.each([
    'x-passport',
    'X_Passport',
    'x-passport-bin',
    'XPASSPORT',
    'X-Experiment-Id',
    'x_consistency_token',
    'x-problem',
    'TraceParent',
  ])('knows %s', (name) => {
    expect(resemblesCallMetadata(name)).toBe(true);
  });
  it.each(['cookie', 'x-passports', 'passport', 'consistency-token', 'x-request-id', ''])('leaves %j alone', (name) => {
    expect(resemblesCallMetadata(name)).toBe(false);
  });
});

describe('timings', () => {
  it('are read as they were written', () => {
    const entries = [
      { name: 'cart', durationMs: 12.34, description: '288 of 300 ms left' },
      { name: 'log', durationMs: 0 },
    ];
    expect(formatTimings(entries)).toBe('cart;dur=12.34;desc="288 of 300 ms left", log;dur=0');
    expect(parseTimings(formatTimings(entries))).toEqual(entries);
  });
  it('cannot break out of their field', () => {
    const field = formatTimings([{ name: 'a, b;c', durationMs: 1, description: 'x", evil;dur=9\r\nset-cookie: a=b' }]);
    expect(field).toMatch(/^[ -~]+$/);
    expect(parseTimings(field)).toHaveLength(1);
  });
  it('are bounded', () => {
    expect(parseTimings(formatTimings(Array.from({ length: 100 }, () => ({ name: 'a', durationMs: 1 }))))).toHaveLength(32);
    expect(parseTimings('nonsense, more;dur=x')).toEqual([]);
  });
});
