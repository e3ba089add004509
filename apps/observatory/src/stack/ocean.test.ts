/** The buttons of the ocean, as the page gives them, at the real process of the ocean. No Kafka is there, and the sockets are real. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { request as rawRequest } from 'node:http';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { OceanCommand, OceanStatus, ToObservatory } from '@cloakroom/contracts';
import { createLogger, observatoryBearer, type Running, systemClock } from '@cloakroom/platform';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { LiveLine, StackView } from '../api.ts';
import { readConfig, start } from '../start.ts';

/** Outside the ports of every suite (infra/stack/test-bases.ts). */
const [control, dialled, target] = [27_800, 27_801, 27_802];
const [pageKey, spanKey, oceanKey] = ['p'.repeat(43), 's'.repeat(43), 'the-key-of-the-ocean'];
const program = join(import.meta.dirname, '../../../../infra/ocean/ocean.main.ts');
const asPage = { authorization: `Bearer ${pageKey}` };
const patience = { timeout: 60_000, interval: 50 };

let shore: Server;
let ocean: ChildProcess;
let observatory: Running;

beforeAll(async () => {
  shore = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
  shore.listen(target, '127.0.0.1');
  await once(shore, 'listening');
  const routes = [{ name: 'kafka', from: 'eu', to: 'us', listenPort: dialled, targetPort: target }];
  const place = { key: oceanKey, controlPort: control, rttMs: 0, routes, brokers: { eu: '127.0.0.1:1', us: '127.0.0.1:1' } };
  ocean = spawn(process.execPath, [program], { env: { OCEAN: JSON.stringify(place) }, stdio: 'ignore' });
  await vi.waitFor(() => fetch(`http://127.0.0.1:${control}/healthz`), patience);
  observatory = await open({ OCEAN_URL: `http://127.0.0.1:${control}`, OCEAN_KEY: oceanKey });
}, patience.timeout * 2);
afterAll(async () => {
  await observatory?.stop();
  await end();
  shore.close();
});
beforeEach(() => tell({ do: 'heal' }));

function open(env: Record<string, string>): Promise<Running> {
  const config = readConfig({ LISTEN_PORT: '0', OBSERVATORY_PAGE_KEY: pageKey, OBSERVATORY_SPAN_KEY: spanKey, ...env });
  const stack = { provider: 'native', profile: 'regions', gateways: [], processes: [] };
  const channel = { send: () => undefined, onMessage: (listen: (message: ToObservatory) => void) => listen({ kind: 'stack', stack }) };
  return start(config, { log: createLogger('test', 'silent'), clock: systemClock }, channel);
}

async function end(): Promise<void> {
  if (ocean.exitCode !== null || ocean.signalCode !== null) return;
  const gone = once(ocean, 'exit');
  ocean.kill('SIGKILL');
  await gone;
}

const press = (body: unknown, headers: Record<string, string> = asPage, at = observatory): Promise<Response> =>
  fetch(`${at.url}/api/ocean`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });
async function tell(command: OceanCommand): Promise<OceanStatus> {
  const answer = await press(command);
  expect(answer.status).toBe(200);
  return (await answer.json()) as OceanStatus;
}
const refusal = async (answer: Response) => {
  const { code, detail } = (await answer.json()) as { code: string; detail: string };
  return { status: answer.status, code, detail };
};
/** What the ocean itself says, asked past the Observatory. */
async function truth(): Promise<OceanStatus> {
  const answer = await fetch(`http://127.0.0.1:${control}`, { headers: { authorization: `Bearer ${oceanKey}` } });
  return (await answer.json()) as OceanStatus;
}

it.each([
  [{ do: 'cut' }, { state: 'cut', dials: 'open' }, { state: 'cut', dials: 'open' }],
  [
    { do: 'cut', way: 'us-eu' },
    { state: 'open', dials: 'open' },
    { state: 'cut', dials: 'open' },
  ],
  [{ do: 'hold' }, { state: 'held', dials: 'open' }, { state: 'held', dials: 'open' }],
  [
    { do: 'hold', way: 'eu-us' },
    { state: 'held', dials: 'open' },
    { state: 'open', dials: 'open' },
  ],
  [
    { do: 'refuse-dials', way: 'eu-us' },
    { state: 'open', dials: 'refused' },
    { state: 'open', dials: 'open' },
  ],
] as const)('the button %j does that to the ocean, is answered with its state, and is undone by heal', async (command, euUs, usEu) => {
  const ways = [
    { way: 'eu-us', ...euUs },
    { way: 'us-eu', ...usEu },
  ];
  expect(await tell(command)).toMatchObject({ ways });
  expect(await truth()).toMatchObject({ ways });
  const healed = await tell({ do: 'heal' });
  expect(healed.ways.map(({ state, dials }) => [state, dials])).toEqual([
    ['open', 'open'],
    ['open', 'open'],
  ]);
});

it('a cut by the button ends a connection that goes across, and the round trip is the one that was set', async () => {
  const socket = connect({ port: dialled, host: '127.0.0.1' });
  socket.write('1');
  expect(String((await once(socket, 'data'))[0])).toBe('1');
  const ended = new Promise<string>((resolve) => socket.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? '')));
  await tell({ do: 'cut' });
  expect(await ended).toBe('ECONNRESET');
  expect((await tell({ do: 'rtt', rttMs: 120 })).rttMs).toBe(120);
  expect((await truth()).rttMs).toBe(120);
});

it('every open page is told the new state, and none is told the key of the ocean', async () => {
  const page = new AbortController();
  const stream = await fetch(`${observatory.url}/api/live`, { headers: asPage, signal: page.signal });
  let text = await (await press({ do: 'cut', way: 'eu-us' })).text();
  expect(
    (await ((await fetch(`${observatory.url}/api/stack`, { headers: asPage })).json() as Promise<StackView>)).ocean?.ways[0]?.state,
  ).toBe('cut');
  const decoder = new TextDecoder();
  let isTold = false;
  for await (const chunk of stream.body!) {
    text += decoder.decode(chunk, { stream: true });
    const lines = text
      .split('\n')
      .slice(0, -1)
      .filter((line) => line.startsWith('{"kind"'));
    isTold = lines
      .map((line) => JSON.parse(line) as LiveLine)
      .some((line) => line.kind === 'stack' && line.stack.ocean?.ways[0]?.state === 'cut');
    if (isTold) break;
  }
  page.abort();
  expect(isTold).toBe(true);
  expect(text).not.toContain(oceanKey);
});

it('the door is closed to those without the key of the page, and to a foreign Host or Origin', async () => {
  expect(await refusal(await press({ do: 'cut' }, {}))).toMatchObject({ status: 401, code: 'key_required' });
  expect((await press({ do: 'cut' }, { authorization: `Bearer ${observatoryBearer(spanKey)}` })).status).toBe(401);
  expect((await press({ do: 'cut' }, { authorization: `Bearer ${oceanKey}` })).status).toBe(401);
  expect(await refusal(await press({ do: 'cut' }, { ...asPage, origin: 'http://localhost:4000' }))).toMatchObject({
    code: 'foreign_origin',
  });
  expect(await statusUnder('attacker.example')).toBe(403);
  expect((await truth()).ways.map(({ state }) => state)).toEqual(['open', 'open']);
});

/** fetch sets Host itself, so a foreign one is sent by hand. */
function statusUnder(host: string): Promise<number> {
  const { port } = new URL(observatory.url);
  const headers = { ...asPage, 'content-type': 'application/json', host: `${host}:${port}` };
  return new Promise((resolve, reject) => {
    const sent = { host: '127.0.0.1', port, path: '/api/ocean', method: 'POST', headers, setHost: false };
    rawRequest(sent, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    })
      .on('error', reject)
      .end(JSON.stringify({ do: 'cut' }));
  });
}

it.each([{}, null, { do: 'drain' }, { do: 'rtt', rttMs: 30_001 }, { do: 'cut', way: 'eu' }])(
  '%j is no command, and the ocean says so',
  async (body) => {
    expect(await refusal(await press(body))).toEqual({
      status: 400,
      code: 'invalid_request',
      detail: 'The ocean says: this is no command of the ocean.',
    });
  },
);

it('a shop with one region has no ocean, and an ocean that was killed takes no command: both are said in words', async () => {
  const alone = await open({});
  try {
    expect(await refusal(await press({ do: 'cut' }, asPage, alone))).toMatchObject({
      status: 404,
      detail: expect.stringContaining('one region') as string,
    });
  } finally {
    await alone.stop();
  }
  await end();
  expect(await refusal(await press({ do: 'cut' }))).toMatchObject({
    status: 503,
    code: 'ocean_away',
    detail: expect.stringContaining('does not run') as string,
  });
});
