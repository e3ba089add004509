import { expect, it } from 'vitest';
import type { IdentityParts, RegionAbroad } from '../gateway.ts';
import { regionOf } from './home-region.ts';

const us = { region: 'us' } as RegionAbroad;
const eu = { region: 'eu' } as RegionAbroad;
type Own = Pick<IdentityParts, 'region' | 'abroad' | 'former'>;

it('a token of the time when eu was the only region is eu’s, in eu and in us', () => {
  const former = { name: 'local', region: 'eu' };
  const inEu: Own = { region: 'eu', abroad: new Map([['us', us]]), former };
  const inUs: Own = { region: 'us', abroad: new Map([['eu', eu]]), former };
  expect(['local', 'eu', 'us', 'ap'].map((named) => regionOf(inEu, named)?.region)).toEqual(['eu', 'eu', 'us', undefined]);
  expect(['local', 'eu', 'us', 'ap'].map((named) => regionOf(inUs, named)?.region)).toEqual(['eu', 'eu', 'us', undefined]);
});

it('a region that two regions do not know is nobody’s, where no former name was told', () => {
  expect(regionOf({ region: 'eu', abroad: new Map([['us', us]]) } as Own, 'local')).toBeUndefined();
  expect(regionOf({ region: 'eu', abroad: new Map() } as Own, 'local')?.region).toBe('eu');
});
