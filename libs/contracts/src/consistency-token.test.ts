import { expect, it } from 'vitest';
import { regionCountMax } from './bounds.ts';
import { formatPositions, furthestPositions, positionsIn } from './consistency-token.ts';

const [eu, us] = [
  { region: 'eu', partition: 5, offset: 120n },
  { region: 'us', partition: 5, offset: 88n },
];

it('a token has a position for each region, and one of one region looks as it always did', () => {
  expect(formatPositions([eu, us])).toBe('eu:5:120+us:5:88');
  expect(positionsIn('eu:5:120+us:5:88')).toEqual([eu, us]);
  expect(formatPositions([eu])).toBe('eu:5:120');
});

it.each([undefined, '', 'eu:5', 'eu:5:120+', '+eu:5:120', 'eu:5:120,us:5:88', 'eu:5:1+eu:5:2+eu:5:3+eu:5:4+eu:5:5', 'EU:5:120'])(
  'a token like %j has no position',
  (token) => {
    expect(positionsIn(token)).toEqual([]);
  },
);

it('the furthest of several tokens are compared within a region, and those of another partition do not count', () => {
  const older = [
    { ...eu, offset: 119n },
    { ...us, offset: 90n },
    { ...us, partition: 6, offset: 999n },
  ];
  expect(furthestPositions([eu, us, ...older], 5)).toEqual([eu, { ...us, offset: 90n }]);
});

it('a token that names a region twice says the furthest of both', () => {
  expect(furthestPositions(positionsIn('eu:5:120+us:5:88+eu:5:121'), 5)).toEqual([{ ...eu, offset: 121n }, us]);
});

it('two tokens that are joined give one that is read again, also where a client invents regions', () => {
  const [one, other] = ['a:5:1+b:5:1+c:5:1+d:5:1', 'e:5:1+f:5:1+g:5:1+eu:5:120'];
  const joined = formatPositions(furthestPositions([...positionsIn(one), ...positionsIn(other)], 5));
  expect(joined).toBe(one);
  expect(positionsIn(joined)).toHaveLength(regionCountMax);
});
