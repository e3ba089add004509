import { expect, it } from 'vitest';
import { configOf } from './testing/gateway.fixture.ts';

const addresses = Object.fromEntries(
  ['AUTH', 'CART', 'CATALOG', 'ORDERS', 'PROFILE'].map((service) => [`${service}_ADDRESS`, 'localhost:1']),
);
const eu = {
  ...addresses,
  REGION: 'eu',
  OTHER_REGIONS: 'us=localhost:1',
  PROFILE_ABROAD: 'us=localhost:1',
  ORDERS_ABROAD: 'us=localhost:1',
};

it.each(['local=eu', 'local=us'])('FORMER_REGION %s names a region that is there', (former) => {
  const [name, region] = former.split('=');
  expect(configOf({ ...eu, FORMER_REGION: former }).FORMER_REGION).toEqual({ name, region });
});

it.each(['local=ue', 'us=eu', 'eu=us'])('FORMER_REGION %s would sign people out, and refuses the start', (former) => {
  expect(() => configOf({ ...eu, FORMER_REGION: former })).toThrow(/FORMER_REGION/);
});
