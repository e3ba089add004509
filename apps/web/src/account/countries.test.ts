import { expect, it } from 'vitest';
import { countries, postalCodeFault } from './countries.ts';

it.each([
  ['DE', '10115'],
  ['GB', 'sw1a1aa'],
  ['NL', '1012 AB'],
  ['US', '10001-1234'],
  ['JP', 'anything'],
])('a postal code that %s has, %s, is taken', (country, code) => {
  expect(postalCodeFault(country, code)).toBe('');
});

it.each([
  ['DE', 'ABC'],
  ['DE', '1011'],
  ['AT', '10115'],
  ['GB', '10115'],
])('one that %s cannot have, %s, is told with an example', (country, code) => {
  expect(postalCodeFault(country, code)).toMatch(/^A postal code of .* looks like /);
});

it('each country that the shop sends to has its form, and an example that fits it', () => {
  for (const country of countries) {
    const example = /looks like (.*)\.$/.exec(postalCodeFault(country, '?'))?.[1];
    expect([country, example]).toEqual([country, expect.any(String)]);
    expect(postalCodeFault(country, example!)).toBe('');
  }
});
