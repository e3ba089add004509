import { expect, it } from 'vitest';
import { covers } from './history.terms.ts';

it.each([
  ['eu:5:120', 'eu:5:120', true],
  ['eu:5:119', 'eu:5:120', false],
  ['eu:6:120', 'eu:5:120', false],
  ['us:5:120', 'eu:5:120', false],
  ['eu:5:120,us:5:7', 'us:5:7', true],
  ['eu:5:120,us:5:7', 'us:5:7,eu:5:90', true],
  ['eu:5:120,us:5:6', 'eu:5:90,us:5:7', false],
  ['eu:5:120', 'eu:5:90,us:5:0', false],
  ['', 'eu:5:90', false],
])('a device at "%s" has reached "%s": %s', (token, other, reached) => {
  expect(covers(token, other)).toBe(reached);
});
