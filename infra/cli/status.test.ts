import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { lookAt } from './status.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function answering(status: number, body: object, afterMs = 0): Promise<string> {
  const server = createServer((_request, response) => {
    setTimeout(() => response.writeHead(status).end(JSON.stringify(body)), afterMs);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/readyz`;
}

it('status says in words what a process that is ready cannot do, and which part keeps another from being ready', async () => {
  const degraded = await answering(200, { ready: true, degraded: ['relay: no heartbeat'], parts: { relay: { ok: true } } });
  const unready = await answering(503, { ready: false, degraded: [], parts: { keys: { ok: false }, feed: { ok: true } } });
  expect(await lookAt({ kind: 'http', urls: [degraded] })).toEqual({ state: 'degraded', words: ['relay: no heartbeat'] });
  expect(await lookAt({ kind: 'http', urls: [degraded, unready, degraded] })).toEqual({
    state: 'not ready',
    words: ['relay: no heartbeat', 'keys is not ready'],
  });
  expect(await lookAt({ kind: 'http', urls: ['http://127.0.0.1:1/readyz'] })).toEqual({ state: 'no answer', words: [] });
});

it('status calls no process unready that says late that it is ready', async () => {
  const late = await answering(200, { ready: true, degraded: ['eventLog: no answer'], parts: { eventLog: { ok: true } } }, 1_200);
  expect(await lookAt({ kind: 'http', urls: [late] })).toEqual({ state: 'degraded', words: ['eventLog: no answer'] });
});
