import { expect, it } from 'vitest';
import { networkOf, siteOf, unknownNetwork } from './network.ts';

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::ffff:c000:201', '192.0.2.1'],
  ['2001:db8:0:1::', '2001:db8:0:1::/64'],
  ['2001:db8:0:1:ffff:ffff:ffff:ffff', '2001:db8:0:1::/64'],
  ['2001:0DB8::1:2', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['203.0.113.7:40001', '203.0.113.7'],
  ['[2001:db8:0:1::7]:443', '2001:db8:0:1::/64'],
  ['[2001:db8:0:1::7]', '2001:db8:0:1::/64'],
  ['[::ffff:192.0.2.1]:443', '192.0.2.1'],
  ['[fe80::1%eth0]:443', 'fe80:0:0:0::/64'],
  ['::ffff:192.0.2.1%eth0', '192.0.2.1'],
])('counts %j as %j', (address, network) => {
  expect(networkOf(address)).toBe(network);
});

it.each([
  '',
  'not an address',
  '203.0.113.7:',
  '203.0.113.7:40001:1',
  '203.0.113.256:1',
  '[203.0.113',
  '[]:1',
  'unix:',
  '_hidden',
  undefined,
])('counts %j with all else that is no address', (address) => {
  expect(networkOf(address)).toBe(unknownNetwork);
  expect(siteOf(address)).toBeUndefined();
});

it.each([
  ['2001:db8:0:1::7', '2001:db8:0::/48'],
  ['[2001:db8:0:ffff::7]:443', '2001:db8:0::/48'],
  ['2001:db8:1:1::7', '2001:db8:1::/48'],
  ['192.0.2.1', undefined],
  ['::ffff:192.0.2.1', undefined],
])('counts %j as part of the site %j', (address, site) => {
  expect(siteOf(address)).toBe(site);
});
