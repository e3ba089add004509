import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { oceanAt } from './ocean-door.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function ocean(): Promise<string> {
  const server = createServer(({ headers }, response) => {
    response.writeHead(headers.authorization === 'Bearer right' ? 200 : 401).end(JSON.stringify({ rttMs: 80, rttMaxMs: 30_000, ways: [] }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it('shows the ocean its key and tells what it answers', async () => {
  const url = await ocean();
  expect(await oceanAt({ OCEAN_URL: url, OCEAN_KEY: 'right' }).ask()).toEqual({ rttMs: 80, rttMaxMs: 30_000, ways: [] });
  expect(await oceanAt({ OCEAN_URL: url, OCEAN_KEY: 'wrong' }).ask()).toBeUndefined();
});

it('knows of no ocean where there is one region, and of none that is away', async () => {
  expect(await oceanAt({ OCEAN_URL: '', OCEAN_KEY: '' }).ask()).toBeUndefined();
  expect(await oceanAt({ OCEAN_URL: 'http://127.0.0.1:1', OCEAN_KEY: '' }).ask()).toBeUndefined();
});
