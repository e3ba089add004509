import { expect, it } from 'vitest';
import { comparedClaims, outcomeWords, toneOf } from './outcome.ts';

it('marks what the forger changed, added or took away, and nothing else', () => {
  const result = {
    sent: { header: { alg: 'none' }, claims: { sub: 'u_other', aud: 'cart', act: { sub: 'orders' } } },
    genuine: { sub: 'u_own', aud: 'cart', exp: 7 },
  };
  const compared = comparedClaims(result);
  expect(compared.filter(({ differs }) => differs).map(({ name }) => name)).toEqual(['sub', 'act', 'exp']);
  expect(compared[0]).toEqual({ name: 'header alg', sent: 'none', honest: '', differs: false });
});

it('says of an accepted forgery that it is a hole, and shows no refusal as one', () => {
  expect(outcomeWords({ outcome: 'accepted', laterMs: undefined })).toContain('hole');
  expect(toneOf({ outcome: 'accepted' })).toBe('problem');
  expect(toneOf({ outcome: 'refused' })).toBe('good');
  expect(outcomeWords({ outcome: 'later', laterMs: 42_000 })).toContain('42 s');
});
