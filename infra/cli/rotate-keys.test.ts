import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { verifiedByAll } from './rotate-keys.ts';

const open: Server[] = [];
afterEach(() => open.splice(0).forEach((server) => server.close()));

/** A process whose /metrics says that passports by these algorithms are verified. */
async function saying(name: string, ...algorithms: string[]) {
  const lines = algorithms.map((algorithm) => `mesh_passport_algorithm_info{algorithm="${algorithm}"} 1`).join('\n');
  const server = createServer((request, response) => response.end(request.url === '/metrics' ? `up 1\n${lines}\n` : ''));
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { name, health: { kind: 'http' as const, urls: [`http://127.0.0.1:${(server.address() as AddressInfo).port}/readyz`] } };
}

it('lets a switch go on where every process that reads passports verifies the algorithm', async () => {
  const storage = { name: 'kafka', health: { kind: 'tcp', port: 1 } as never };
  const shop = [await saying('auth', 'ES256', 'Ed25519'), await saying('cart', 'ES256', 'Ed25519'), storage, await saying('observatory')];
  await expect(verifiedByAll(shop, 'Ed25519')).resolves.toBeUndefined();
});

it('stops a switch beside a process of an older build, or one that does not answer, and names them', async () => {
  const away = { name: 'orders', health: { kind: 'http' as const, urls: ['http://127.0.0.1:1/readyz'] } };
  const shop = [await saying('auth', 'ES256', 'Ed25519'), await saying('cart-us', 'ES256'), await saying('gateway-2'), away];
  await expect(verifiedByAll(shop, 'Ed25519')).rejects.toThrow(/nothing has changed: cart-us, gateway-2, orders did not say/);
});

it('asks each door of a shop that is one process', async () => {
  const [knows, knowsNot] = [await saying('cloakroom', 'Ed25519'), await saying('cloakroom')];
  const urls = [...knows.health.urls, ...knowsNot.health.urls];
  await expect(verifiedByAll([{ ...knows, health: { kind: 'http', urls } }], 'Ed25519')).rejects.toThrow(/cloakroom/);
});
