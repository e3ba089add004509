import { expect, it } from 'vitest';
import { stockHeardWords } from './stock-heard.tsx';

it('says since when the deciding region is silent, and nothing while it answers', () => {
  expect(stockHeardWords(undefined)).toBeUndefined();
  expect(stockHeardWords('2026-11-29T12:03:00.000Z', 'en-GB')).toMatch(/last heard at 29 Nov 2026, \d\d:03\./);
});
