import { expect, it } from 'vitest';
import { defaultBase, portSpan } from './stack.ports.ts';
import { testBases } from './test-bases.ts';

it('no two suites share a port, nor does a suite share one with a shop in use', () => {
  const bases = [...Object.values(testBases), defaultBase].toSorted((a, b) => a - b);
  const overlaps = bases.filter((base, index) => index > 0 && base - bases[index - 1]! < portSpan);
  expect(overlaps).toEqual([]);
});
