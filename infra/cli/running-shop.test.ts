/** Which shop, and which of its regions, an operator's command is for. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { oneOf } from './command-line.ts';
import { doorOf } from '../call/send.ts';
import { findMethod } from '../call/methods.ts';
import { regionNames } from '../stack/stack.ports.ts';
import { startTimeOf } from '../supervisor/child.ts';
import type { StackState } from '../supervisor/state.ts';
import { databaseOf } from './admin.ts';
import { placesOf, regionsOf } from './cart-operations.ts';
import { runningShop } from './running-shop.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'cloakroom-regions-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const alive = { pid: process.pid, startTime: startTimeOf(process.pid) };
const state = (profile: StackState['profile'], base = 4000, provider: StackState['provider'] = 'native'): StackState => ({
  provider,
  profile,
  base,
  gateways: [`http://localhost:${base}`, `http://localhost:${base + 1}`],
  startedAt: '',
  supervisor: alive,
  processes: [
    {
      name: 'ocean',
      state: 'ready',
      url: '',
      ...alive,
      restarts: 0,
      health: { kind: 'http', urls: [] },
      logFile: join(folder, 'logs', 'x'),
    },
  ],
});

it.each([
  [undefined, 'eu', 'http://localhost:4000', 4110, 4230, 4220],
  ['eu', 'eu', 'http://localhost:4000', 4110, 4230, 4220],
  ['us', 'us', 'http://localhost:4001', 4366, 4486, 4476],
] as const)('--region %s of two regions is %s: its gateway, its auth, its stores', (told, region, gateway, auth, kafka, redis) => {
  const shop = runningShop({ region: told }, [state('regions')]);
  expect(shop).toMatchObject({ region, gateway, authAddress: `localhost:${auth}` });
  expect(placesOf(shop, ['KAFKA_BROKERS', 'CART_REDIS_URL'])).toEqual({
    KAFKA_BROKERS: `127.0.0.1:${kafka}`,
    CART_REDIS_URL: `redis://127.0.0.1:${redis}`,
  });
});

it('a tool for carts is told of the other region as the cart service beside it is, and in a shop of one region of none', () => {
  const regions = (['eu', 'us'] as const).map((region) => regionsOf(runningShop({ region }, [state('regions')])));
  expect(regions).toEqual([
    { REGION: 'eu', OTHER_REGIONS: 'us=localhost:4458' },
    { REGION: 'us', OTHER_REGIONS: 'eu=localhost:4202' },
  ]);
  expect(regionsOf(runningShop({}, [state('usual')]))).toEqual({});
});

it('administrators of a region are in the database of its auth', () => {
  mkdirSync(join(folder, 'db'));
  for (const name of ['auth', ...regionNames.map((region) => `auth-${region}`)]) writeFileSync(join(folder, 'db', `${name}.sqlite`), '');
  const databaseIn = (region: 'us' | undefined) => databaseOf(runningShop({ region }, [state('regions')]))['DATABASE_URL'];
  expect(databaseIn('us')).toBe(`sqlite:${join(folder, 'db', 'auth-us.sqlite')}`);
  expect(databaseIn(undefined)).toBe(`sqlite:${join(folder, 'db', 'auth-eu.sqlite')}`);
});

it('a call to us goes to the service of us', async () => {
  const shop = { ...runningShop({ region: 'us' }, [state('regions')]), developer: () => Promise.resolve({ tls: undefined, secret: '' }) };
  expect((await doorOf(shop, findMethod('cart', 'GetCart'))).address).toBe('localhost:4376');
});

it.each(['usual', 'cluster'] as const)(
  'a region of a shop that has one (%s) is refused in words, and no region is needed there',
  (profile) => {
    expect(() => runningShop({ region: 'eu' }, [state(profile)])).toThrow('--region: the shop that runs here has one region (native)');
    expect(runningShop({}, [state(profile)])).toMatchObject({ region: undefined, authAddress: 'localhost:4110' });
  },
);

it('of several shops the port says which, and then the region within it', () => {
  const both = [state('usual'), state('regions', 5000)];
  expect(() => runningShop({ region: 'us' }, both)).toThrow('several shops run here, on the ports 4000, 5000');
  expect(runningShop({ portBase: 5000, region: 'us' }, both).authAddress).toBe('localhost:5366');
  expect(() => runningShop({ portBase: 4000, region: 'us' }, both)).toThrow('has one region');
});

it('a region that there is not is named, with those that there are', () => {
  expect(() => oneOf('--region', 'asia', regionNames)).toThrow('--region asia: one of eu, us');
});
