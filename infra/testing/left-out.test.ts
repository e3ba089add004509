import { expect, it } from 'vitest';
import { countUnrun, describeLeftOut } from './left-out.ts';

const browser = { suite: 'e2e-native', why: 'no Chromium', excused: false };
const containers = { suite: 'containers', why: 'only root can make an engine', excused: true };

it('in CI a suite that could not run is a failure, but for the one that needs root on Linux', () => {
  expect(countUnrun([browser, containers], 3, true)).toBe(4);
  expect(countUnrun([containers], 0, true)).toBe(0);
  expect(countUnrun([browser, containers], 3, false)).toBe(0);
});

it('says each suite that was left out, and which of them is forgiven', () => {
  expect(describeLeftOut(browser)).toBe('  LEFT OUT  e2e-native: no Chromium');
  expect(describeLeftOut(containers)).toMatch(/LEFT OUT {2}containers: .*\(no failure in CI either\)$/);
});
