/** The process of the ocean and its command, with real sockets. No Kafka is there. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { runOcean } from '../cli/ocean.ts';
import { oceanControlOf, regionPortsOf } from '../stack/stack.ports.ts';
import type { OceanPlace } from '../stack/stack.spec.ts';
import { startTimeOf } from '../supervisor/child.ts';
import type { StackState } from '../supervisor/state.ts';
import type { OceanStatus } from './ocean.types.ts';

/** Outside the ports of every suite (test-bases.ts). */
const base = 27_400;
const { acrossOcean, kafkaWan } = regionPortsOf(base, 'us');
const folder = mkdtempSync(join(tmpdir(), 'cloakroom-ocean-'));
const key = 'a key of this test';
let child: ChildProcess;
let state: StackState;
const server = createServer((socket) => socket.on('error', () => undefined).pipe(socket));

beforeAll(async () => {
  server.listen(kafkaWan, '127.0.0.1');
  await once(server, 'listening');
  writeFileSync(join(folder, 'ocean.key'), key);
  const alive = { pid: process.pid, startTime: startTimeOf(process.pid) };
  const logFile = join(folder, 'logs', 'ocean.log');
  const entry = { name: 'ocean', state: 'ready', url: '', ...alive, restarts: 0, health: { kind: 'http', urls: [] }, logFile } as const;
  const run = { provider: 'native', profile: 'regions', base, gateways: [], startedAt: '' } as const;
  state = { ...run, supervisor: alive, processes: [entry] };
  const nowhere = '127.0.0.1:1';
  const route = { name: 'kafka', from: 'eu', to: 'us', listenPort: acrossOcean.kafka, targetPort: kafkaWan } as const;
  const place: OceanPlace = { controlPort: oceanControlOf(base), rttMs: 0, routes: [route], brokers: { eu: nowhere, us: nowhere } };
  child = spawn(process.execPath, [join(import.meta.dirname, 'ocean.main.ts')], {
    env: { ...process.env, OCEAN: JSON.stringify({ ...place, key }) },
    stdio: 'ignore',
  });
  await vi.waitFor(() => fetch(`${door}/healthz`), { timeout: 60_000, interval: 50 });
});
afterAll(async () => {
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const door = `http://127.0.0.1:${oceanControlOf(base)}`;

const ocean = async (...words: string[]): Promise<OceanStatus> => {
  const [line = ''] = await runOcean(words, { json: true }, [state]);
  return JSON.parse(line) as OceanStatus;
};

it('the command cuts one way of a running ocean, and heals it', async () => {
  const socket = connect({ port: acrossOcean.kafka, host: '127.0.0.1' });
  socket.write('1');
  expect(String((await once(socket, 'data'))[0])).toBe('1');
  const cut = await ocean('cut', 'eu-us');
  expect(cut.ways).toMatchObject([
    { way: 'eu-us', state: 'cut', connections: 1, bytes: 1 },
    { way: 'us-eu', state: 'open' },
  ]);
  const ended = new Promise<string>((resolve) => socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? '')));
  socket.write('2');
  expect((await ocean('heal')).ways.map(({ state }) => state)).toEqual(['open', 'open']);
  // It lost a byte, so it was reset.
  expect(await ended).toBe('ECONNRESET');
});

it('the ocean takes no command without its key', async () => {
  const sent = { method: 'POST', body: JSON.stringify({ do: 'cut' }) };
  expect((await fetch(door, sent)).status).toBe(401);
  expect((await fetch(door, { ...sent, headers: { authorization: 'Bearer another' } })).status).toBe(401);
  const headers = { authorization: `Bearer ${key}` };
  expect((await fetch(door, { ...sent, headers, body: '{"do":"drain"}' })).status).toBe(400);
  expect((await ((await fetch(door, { headers })).json() as Promise<OceanStatus>)).ways.map(({ state }) => state)).toEqual([
    'open',
    'open',
  ]);
});
