/** Changes by overlays and components: both sides of a bound change together, and the services accept the settings that they get. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig as readAuth } from '@cloakroom/auth';
import { readConfig as readCart } from '@cloakroom/cart';
import { readConfig as readCatalog } from '@cloakroom/catalog';
import { readConfig as readGateway } from '@cloakroom/gateway';
import { readConfig as readOrders } from '@cloakroom/orders';
import { isLocalProvider } from '@cloakroom/platform';
import { readConfig as readProfile } from '@cloakroom/profile';
import { describe, expect, it } from 'vitest';
import { meshNames, type AppName } from '../stack/stack.ts';
import { agreedConfigMap, appSpecs } from './cluster.ts';
import { environmentOf, type Kustomization, kustomizationOf, literalsOf } from './overlays.fixture.ts';

const base = kustomizationOf('base');
const example = kustomizationOf('overlays/example');
const folders = globSync('{overlays,components}/*', { cwd: join(import.meta.dirname, '..', 'k8s') });

const key = Buffer.alloc(32, 1).toString('base64url');
/** The content of the Secrets, and the field of the pod that reads it. */
const secrets = {
  REPLICA: '1',
  SESSION_MAC_KEY: key,
  REFRESH_TOKEN_KEY: key,
  KEY_ENCRYPTION_KEY: key,
  DATABASE_URL: 'postgres://auth@db/auth',
  SESSION_REDIS_URL: 'redis://redis:6379',
  CART_REDIS_URL: 'redis://redis:6379',
};
const authOf = (...layers: Kustomization[]) => readAuth({ ...environmentOf('auth', [base, ...layers]), ...secrets });
const gatewayOf = (...layers: Kustomization[]) => readGateway({ ...environmentOf('gateway', [base, ...layers]), ...secrets });
const others = { cart: readCart, catalog: readCatalog, orders: readOrders, profile: readProfile };
const otherOf = (name: keyof typeof others, ...layers: Kustomization[]) =>
  others[name]({ ...environmentOf(name, [base, ...layers]), ...secrets });
const settingsOf = (name: AppName, ...layers: Kustomization[]) =>
  name === 'auth' ? authOf(...layers) : name === 'gateway' ? gatewayOf(...layers) : otherOf(name, ...layers);

/** A bound by address at the gateway, and the bounds of auth behind it that the same person meets. */
const counterparts = {
  RATE_LIMIT_PER_10S: [],
  SIGN_IN_LIMIT_PER_MINUTE: ['ADDRESS_FAILURE_LIMIT_PER_15_MIN', 'REGISTRATION_LIMIT_PER_HOUR'],
  GUEST_LIMIT_PER_MINUTE: ['GUEST_LIMIT_PER_HOUR'],
  STREAM_COUNT_MAX_PER_ADDRESS: [],
} as const;
type Bound = keyof typeof counterparts;
const bounds = Object.keys(counterparts) as Bound[];

/** @returns the bounds of auth that stay low although the gateway's bound was raised */
function leftLow(...layers: Kustomization[]): string[] {
  const [auth, usualAuth, gateway, usual] = [authOf(...layers), authOf(), gatewayOf(...layers), gatewayOf()];
  const raised = bounds.filter((bound) => gateway[bound] > usual[bound]);
  return raised.flatMap((bound) => counterparts[bound].filter((name) => auth[name] <= usualAuth[name]));
}

/** @returns settings that only one of the services that must agree would read */
const onlyForOne = (layer: Kustomization): string[] =>
  (['gateway', 'auth'] as const).flatMap((name) => Object.keys(literalsOf(layer, name)).filter((one) => one in appSpecs.gateway.agreed));

const layerOf = (maps: Record<string, string[]>): Kustomization => ({
  configMapGenerator: Object.entries(maps).map(([name, literals]) => ({ name, behavior: 'merge', literals })),
});

it.each(meshNames)('%s refuses its own region among the others', (name) => {
  const layer = kustomizationOf('components/region-eu');
  expect(() => settingsOf(name, layer)).not.toThrow();
  expect(() => settingsOf(name, layer, layerOf({ [name]: ['REGION=us'] }))).toThrow(/OTHER_REGIONS: .*REGION/);
});

describe.each(folders)('%s', (path) => {
  const layer = kustomizationOf(path);

  it.each(meshNames)('is accepted by %s unchanged', (name) => {
    expect(() => settingsOf(name, layer)).not.toThrow();
  });

  it('lets no sign-in choose jwt, which outlives its end', () => {
    for (const { SESSION_MODE, SESSION_MODES } of [authOf(layer), gatewayOf(layer)]) {
      expect(SESSION_MODES).toContain('jwt-denylist');
      expect([SESSION_MODE, ...(SESSION_MODES ?? [])]).not.toContain('jwt');
    }
  });

  it('has no Observatory, so no page is told of one', () => {
    expect([gatewayOf(layer).OBSERVATORY_URL, authOf(layer).OBSERVATORY_URL]).toEqual([undefined, undefined]);
  });

  it('raises no bound of the gateway alone', () => {
    expect(leftLow(layer)).toEqual([]);
  });

  it('states settings that gateways and auth share in one place', () => {
    expect(onlyForOne(layer)).toEqual([]);
  });

  it('changes only variables that the service reads, and adds to no other ConfigMap', () => {
    for (const { name, behavior, literals } of layer.configMapGenerator) {
      expect(behavior).toBe('merge');
      const known = name === agreedConfigMap ? appSpecs.gateway.agreed : settingsOf(name as AppName);
      const optional = ['TRUSTED_PROXIES', 'FORMER_REGION', 'STOCK_DECIDER'];
      for (const line of literals) expect([...Object.keys(known), ...optional]).toContain(line.split('=')[0]);
    }
  });
});

it('no service of a cluster or of compose admits developers: their provider is not local', () => {
  const layers = folders.map(kustomizationOf);
  for (const name of meshNames) {
    expect([name, environmentOf(name, [base])['PROVIDER']]).toEqual([name, 'external']);
    for (const layer of layers) expect(isLocalProvider(environmentOf(name, [base, layer])['PROVIDER'] ?? '')).toBe(false);
  }
  const compose = readFileSync(join(import.meta.dirname, '..', 'compose.yaml'), 'utf8');
  const told = [...compose.matchAll(/PROVIDER: (\S+)/g)].map(([, provider]) => provider!);
  expect(new Set(told)).toEqual(new Set(['docker']));
  expect(told.filter(isLocalProvider)).toEqual([]);
});

it('an overlay behind an ingress names the trusted proxies, or all people share the limits of one address', () => {
  const behindIngress = folders.filter((path) => kustomizationOf(path).resources?.includes('ingress.yaml'));
  expect(behindIngress).toContain('overlays/example');
  for (const path of behindIngress) expect(gatewayOf(kustomizationOf(path)).TRUSTED_PROXIES?.length).toBeGreaterThan(0);
});

/** @returns the bounds by address that are higher than their defaults */
const raisedBy = (...layers: Kustomization[]): Bound[] => bounds.filter((bound) => gatewayOf(...layers)[bound] > gatewayOf()[bound]);

it('bounds by address are raised where all people share one address, and not where each has its own', () => {
  expect(raisedBy(kustomizationOf('components/one-address'))).toEqual(bounds);
  const toldApart = folders.filter((path) => gatewayOf(kustomizationOf(path)).TRUSTED_PROXIES !== undefined);
  expect(toldApart).toContain('overlays/example');
  for (const path of toldApart) expect([path, ...raisedBy(kustomizationOf(path))]).toEqual([path]);
});

it('the name of the shop is stated once, and passkeys are made for it', () => {
  const own = layerOf({ [agreedConfigMap]: ['PUBLIC_ORIGINS=https://coats.example.org'] });
  expect(gatewayOf(example, own).PUBLIC_ORIGINS).toEqual(['https://coats.example.org']);
  expect(JSON.stringify(authOf(example, own).PUBLIC_ORIGINS)).toContain('coats.example.org');
  expect(JSON.stringify(authOf(example, own).PUBLIC_ORIGINS)).not.toContain('shop.example.com');
});

it('an overlay that raises only the gateway’s bound, or names the shop only for the gateway, is noticed', () => {
  const raised = layerOf({ gateway: ['SIGN_IN_LIMIT_PER_MINUTE=2000', 'GUEST_LIMIT_PER_MINUTE=5000'] });
  expect(leftLow(raised)).toEqual(['ADDRESS_FAILURE_LIMIT_PER_15_MIN', 'REGISTRATION_LIMIT_PER_HOUR', 'GUEST_LIMIT_PER_HOUR']);
  expect(onlyForOne(layerOf({ gateway: ['PUBLIC_ORIGINS=https://coats.example.org'] }))).toEqual(['PUBLIC_ORIGINS']);
});

it('.env.example and docs/overload.md name every bound of gateway and auth, the first with its default', () => {
  const read = (path: string) => readFileSync(join(import.meta.dirname, '..', '..', path), 'utf8');
  const [exampleFile, reasons] = [read('.env.example'), read('docs/overload.md')];
  const all = Object.entries({ ...authOf(), ...gatewayOf() }).filter(([name]) => /_LIMIT_PER_|_PER_ADDRESS$/.test(name));
  expect(all).toHaveLength(10);
  for (const [name, value] of all) {
    expect(exampleFile).toContain(`#${name}=${JSON.stringify(value)}\n`);
    expect(reasons).toContain(name);
  }
  expect(exampleFile).toContain('TRUSTED_PROXIES=');
});

it('the tests know every bound by address of the gateway', () => {
  const ofAddress = Object.keys(gatewayOf()).filter((name) => /^(RATE|SIGN_IN|GUEST)_LIMIT|_PER_ADDRESS$/.test(name));
  expect(ofAddress.toSorted()).toEqual(bounds.toSorted());
});
