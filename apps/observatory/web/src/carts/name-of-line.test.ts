import { expect, it } from 'vitest';
import { nameOfLine } from './name-of-line.ts';

const encoded = (value: unknown): string => `~${Buffer.from(JSON.stringify(value)).toString('base64url')}`;

it.each([
  ['scarf', 'scarf'],
  [
    encoded([
      'wool-overcoat',
      [
        ['size', 'XS'],
        ['colour', 'Grün'],
      ],
    ]),
    'wool-overcoat, size XS, colour Grün',
  ],
  [encoded(['road-runners', [['size', '42']]]), 'road-runners, size 42'],
  ['~no base64!', '~no base64!'],
  ['~AAAA', '~AAAA'],
])('the line %s reads %s', (lineId, name) => {
  expect(nameOfLine(lineId)).toBe(name);
});
