import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { wordsOf } from './status.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function answering(status: number, body: object): Promise<string> {
  const server = createServer((_request, response) => response.writeHead(status).end(JSON.stringify(body)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/readyz`;
}

it('status says in words what a process that is ready cannot do, and which part keeps another from being ready', async () => {
  const degraded = await answering(200, { ready: true, degraded: ['relay: no heartbeat'], parts: { relay: { ok: true } } });
  const unready = await answering(503, { ready: false, degraded: [], parts: { keys: { ok: false }, feed: { ok: true } } });
  expect(await wordsOf({ kind: 'http', urls: [degraded, unready, degraded] })).toEqual(['relay: no heartbeat', 'keys is not ready']);
  expect(await wordsOf({ kind: 'http', urls: ['http://127.0.0.1:1/readyz'] })).toEqual([]);
});
