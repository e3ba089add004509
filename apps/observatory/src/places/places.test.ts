import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LinkedProcess } from '@cloakroom/contracts';
import { afterEach, expect, it } from 'vitest';
import { leasesOf, placesOf, samplesIn } from './places.ts';

const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

const text = `# TYPE cart_projector_next_offset gauge
cart_projector_next_offset{partition="7",service="cart"} 42
cart_projector_next_offset{partition="3",service="cart"} 9
cart_projector_lag_records{partition="7",service="cart"} 2
cart_projector_lag_seconds{partition="7",service="cart"} 0.5
event_log_consumer_lag_records{group="cart.projector",topic="cart.events"} 2
event_log_consumer_lag_seconds{group="cart.projector",topic="cart.events"} 0.5
process_cpu_seconds_total 1.5e-3
nonsense
`;

async function telling(body: string): Promise<string> {
  const server = createServer((request, response) => response.end(request.url === '/metrics' ? body : '{}'));
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/readyz`;
}

const process = (name: string, readyUrls: readonly string[], state: LinkedProcess['state'] = 'ready'): LinkedProcess => ({
  name,
  kind: 'app',
  apps: [],
  needs: [],
  url: '',
  ports: [],
  readyUrls,
  state,
  pid: 1,
  restarts: 0,
});

it('each partition has its owner, its place and its lag, and each reader its lag', async () => {
  const [cart, away] = [await telling(text), 'http://127.0.0.1:9/readyz'];
  expect(
    await placesOf([process('cart', [cart]), process('auth', [away]), process('orders', [cart], 'paused'), process('kafka', [])]),
  ).toEqual({
    partitions: [
      { partition: 3, owner: 'cart', nextOffset: 9, lagRecords: undefined, lagSeconds: undefined },
      { partition: 7, owner: 'cart', nextOffset: 42, lagRecords: 2, lagSeconds: 0.5 },
    ],
    readers: [{ process: 'cart', group: 'cart.projector', topic: 'cart.events', lagRecords: 2, lagSeconds: 0.5 }],
  });
});

it('samples with and without labels are read, and other lines are left', () => {
  expect(samplesIn(text)).toHaveLength(7);
  expect(samplesIn(text).at(-1)).toEqual({ name: 'process_cpu_seconds_total', labels: {}, value: 0.0015 });
});

it('each process has the age of its lease; where several places share one, the reader names the place', async () => {
  const lease = (reader: string, seconds: number) => `revocation_lease_age_seconds{reader="${reader}",service="x"} ${seconds}\n`;
  const [cart, embedded] = [await telling(lease('cart-feed', 0.25)), await telling(lease('gateway-1', 1.5) + lease('orders-feed', 2.5))];
  expect(await leasesOf([process('cart-2', [cart]), process('cloakroom', [embedded]), process('auth', [cart], 'paused')])).toEqual({
    leases: [
      { place: 'cart-2', ageMs: 250 },
      { place: 'gateway-1', ageMs: 1_500 },
      { place: 'orders', ageMs: 2_500 },
    ],
    ofMs: 2_000,
  });
});

it('with two regions a process has a lease on the sessions of each, and a partition of each log has an owner', async () => {
  const lease = (reader: string, seconds: number) => `revocation_lease_age_seconds{reader="${reader}",service="x"} ${seconds}\n`;
  const [cart, gateway] = [
    await telling(text + lease('cart-feed', 0.25) + lease('cart-us-feed', 3)),
    await telling(lease('gateway-1-eu', 0.5)),
  ];
  const both = [
    { ...process('cart-eu', [cart]), region: 'eu' },
    { ...process('gateway-us', [gateway]), region: 'us' },
  ];
  expect((await leasesOf(both)).leases).toEqual([
    { place: 'cart-eu', ageMs: 250, region: 'eu', home: 'eu' },
    { place: 'cart-eu', ageMs: 3_000, region: 'eu', home: 'us' },
    { place: 'gateway-us', ageMs: 500, region: 'us', home: 'eu' },
  ]);
  // The lease on the sessions of a region that is down is the one that matters.
  const down = both.map((one) => (one.region === 'us' ? { ...one, state: 'ended' as const } : one));
  expect((await leasesOf(down)).leases.map(({ home }) => home)).toEqual(['eu', 'us']);
  expect((await placesOf(both)).partitions.map(({ partition, region }) => [partition, region])).toEqual([
    [3, 'eu'],
    [7, 'eu'],
  ]);
});
