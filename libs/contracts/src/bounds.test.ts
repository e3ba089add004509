import { expect, it } from 'vitest';
import {
  cartLineCountMax,
  couponCodePattern,
  lineIdLengthMax,
  optionCountMax,
  optionNamePattern,
  optionValueLengthMax,
  productIdCountMax,
  searchChoiceLengthMax,
  subjectLengthMax,
  subjectPattern,
  writtenCouponPattern,
} from './bounds.ts';
import { formatPositions, positionsIn } from './consistency-token.ts';
import { topics } from './topics.ts';

it('a full cart is priced by one question to the catalog', () => {
  expect(cartLineCountMax).toBeLessThanOrEqual(productIdCountMax);
});

it('the longest line id has room for the most options that a line may have, at their longest and with the worst escapes', () => {
  const name = `x${'y'.repeat(31)}`;
  expect([name, `${name}z`].map((text) => optionNamePattern.test(text))).toEqual([true, false]);
  const options = Array.from({ length: optionCountMax }, () => [name, '\u0001'.repeat(optionValueLengthMax)]);
  const lineId = `~${Buffer.from(JSON.stringify(['p'.repeat(64), options])).toString('base64url')}`;
  expect(lineId.length).toBeLessThanOrEqual(lineIdLengthMax);
});

it('every option that a line can have can be searched for', () => {
  expect(optionValueLengthMax).toBeLessThanOrEqual(searchChoiceLengthMax);
});

it('a consistency token names every position that Kafka can give', () => {
  for (const { partitions } of Object.values(topics)) {
    const position = { region: 'local', partition: partitions - 1, offset: 2n ** 63n - 1n };
    expect(positionsIn(formatPositions([position]))).toEqual([position]);
  }
});

it('the longest subject has the longest length, and one character more is refused', () => {
  const longest = `u_${'x'.repeat(64)}`;
  expect([longest.length, subjectPattern.test(longest), subjectPattern.test(`${longest}x`)]).toEqual([subjectLengthMax, true, false]);
});

it.each(['WELCOME10', 'a-b', 'x'.repeat(32)])('a cart keeps the coupon %s', (code) => {
  expect([writtenCouponPattern.test(code), couponCodePattern.test(code.toUpperCase())]).toEqual([true, true]);
});

it.each(['', 'a b', 'x'.repeat(33), 'ß'])('%j is refused as a coupon', (code) => {
  expect(writtenCouponPattern.test(code)).toBe(false);
});
