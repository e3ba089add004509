import { observed } from '@cloakroom/contracts';
import { expect, it } from 'vitest';
import type { StoredSpan } from '../span.ts';
import { nameOnMap } from '../stack/name-on-map.ts';
import { edgesOf, hopsOf } from './edges.ts';

let lastId = 0;
const nowMs = 1_000_000;
function span(app: string, kind: StoredSpan['kind'], more: Partial<StoredSpan> = {}): StoredSpan {
  const attributes = { [observed.app]: app, [observed.replica]: '1', ...more.attributes };
  const given = { traceId: 't', spanId: `s${++lastId}`, parentId: undefined, name: '', startMs: nowMs - 110, endMs: nowMs - 100 };
  return { ...given, kind, failure: undefined, service: 'cloakroom', links: [], ...more, attributes };
}
const names = {
  name: 'cloakroom',
  kind: 'embedded',
  needs: [],
  url: '',
  ports: [],
  readyUrls: [],
  state: 'ready',
  pid: 1,
  restarts: 0,
} as const;
const nameOf = nameOnMap({
  provider: 'embedded',
  profile: 'usual',
  gateways: [],
  processes: [{ ...names, apps: ['auth', 'cart', 'gateway-1', 'gateway-2'] }],
});
const told = (...spans: StoredSpan[]) => edgesOf(spans, nowMs, nameOf).map(({ from, to }) => `${from} > ${to}`);

it('draws who asked whom: browser, gateways, services, stores and the log', () => {
  const request = span('gateway', 'server');
  const call = span('gateway', 'client', { parentId: request.spanId });
  const served = span('cart', 'server', { parentId: call.spanId });
  const view = span('cart', 'client', { parentId: served.spanId, attributes: { 'db.system.name': 'redis' } });
  const publish = span('cart', 'producer', { parentId: served.spanId });
  const batch = span('cart', 'consumer', { parentId: publish.spanId });
  expect(told(request, call, served, view, publish, batch)).toEqual([
    'browser > gateway-1',
    'gateway-1 > cart',
    'cart > redis-carts',
    'cart > kafka',
    'kafka > cart',
  ]);
});

it('counts the last 10 s alone: rate, p99 and the part that failed', () => {
  const old = span('gateway', 'server', { endMs: nowMs - 10_001 });
  const quick = Array.from({ length: 19 }, () => span('gateway', 'server'));
  const slow = span('gateway', 'server', { startMs: nowMs - 600, failure: 'unavailable' });
  expect(edgesOf([old, ...quick, slow], nowMs, nameOf)).toEqual([
    { from: 'browser', to: 'gateway-1', perSecond: 2, p99Ms: 500, failedPart: 0.05 },
  ]);
});

it('a call whose asker is not known yet belongs to no edge', () => {
  expect(told(span('cart', 'server', { parentId: 'unknown' }))).toEqual([]);
});

it('one request’s way over the map is told in the order of its hops, whatever the order in which their spans came', () => {
  const request = span('gateway', 'server', { startMs: nowMs - 200 });
  const call = span('gateway', 'client', { parentId: request.spanId, startMs: nowMs - 190 });
  const served = span('cart', 'server', { parentId: call.spanId, startMs: nowMs - 180, failure: 'unavailable' });
  const publish = span('cart', 'producer', { parentId: served.spanId, startMs: nowMs - 170 });
  const batch = span('cart', 'consumer', { traceId: 'batch', links: [{ traceId: 't', spanId: publish.spanId }], startMs: nowMs - 150 });
  expect(hopsOf([batch, publish, served, call, request], nameOf)).toEqual([
    { from: 'browser', to: 'gateway-1', startMs: 0, failed: false },
    { from: 'gateway-1', to: 'cart', startMs: 20, failed: true },
    { from: 'cart', to: 'kafka', startMs: 30, failed: false },
    { from: 'kafka', to: 'cart', startMs: 50, failed: false },
  ]);
});

it('with two regions each end is in the region of the process that made the span, also where a call crosses the ocean', () => {
  const inBoth = nameOnMap({
    provider: 'native',
    profile: 'regions',
    gateways: [],
    processes: ['gateway-us', 'auth-eu', 'auth-us', 'kafka-eu', 'redis-sessions-eu'].map((name) => ({ ...names, name, apps: [] })),
  });
  const at = (app: string, region: string, kind: StoredSpan['kind'], more: Partial<StoredSpan> = {}) =>
    span(app, kind, { ...more, attributes: { ...more.attributes, [observed.region]: region } });
  const request = at('gateway', 'us', 'server');
  const call = at('gateway', 'us', 'client', { parentId: request.spanId });
  const served = at('auth', 'eu', 'server', { parentId: call.spanId });
  const store = at('auth', 'eu', 'client', { parentId: served.spanId, attributes: { 'db.system.name': 'redis' } });
  const publish = at('auth', 'eu', 'producer', { parentId: served.spanId });
  expect(edgesOf([request, call, served, store, publish], nowMs, inBoth).map(({ from, to }) => `${from} > ${to}`)).toEqual([
    'browser > gateway-us',
    'gateway-us > auth-eu',
    'auth-eu > redis-sessions-eu',
    'auth-eu > kafka-eu',
  ]);
});
