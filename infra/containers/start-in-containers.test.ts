import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { drawCompose } from './compose.ts';
import { fakeDocker } from '../launch/docker.fixture.ts';
import type { FakeDocker } from '../launch/docker.fixture.ts';
import { startContainers } from './start-in-containers.ts';

const base = 31_700;
let docker: FakeDocker;
let shown: string[] = [];
const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  docker.remove();
});

/** Both gateways, as the engine would publish them. */
function serve(status: number) {
  for (const port of [base, base + 1]) {
    const server = createServer((_, response) => response.writeHead(status).end('{}'));
    servers.push(server.listen(port, '127.0.0.1'));
  }
}

/** The requests to compose, without the options that all of them share. */
const asked = () => docker.calls().map((call) => call.split('compose.yaml ')[1]);

/** @param onUp runs at the first output of compose, while compose still runs */
async function run(
  cases: string,
  onUp: () => void,
  options: { readonly fresh?: boolean; readonly logs?: boolean; readonly abandon?: AbortSignal } = {},
) {
  docker = fakeDocker(cases);
  shown = [];
  let isUp = false;
  const print = (line: string) => {
    shown.push(line);
    if (!isUp) onUp();
    isUp = true;
  };
  const request = {
    base,
    fresh: options.fresh ?? false,
    logs: options.logs ?? false,
    dataDir: join(docker.folder, 'data'),
    readyTimeoutMs: 5_000,
  };
  const running = await startContainers({ command: docker.command }, request, print, options.abandon);
  return { running, shown };
}

it('a run builds, starts, waits for both gateways, and ends the containers', async () => {
  const { running, shown } = await run('*up*) echo Container gateway-1 Started;;', () => serve(200));
  expect(shown).toEqual(['Container gateway-1 Started']);
  expect(running.gateways).toEqual([`http://localhost:${base}`, `http://localhost:${base + 1}`]);
  expect(asked()).toEqual(['up --build --detach']);
  await running.stop();
  expect(asked()).toEqual(['up --build --detach', 'down --remove-orphans']);
  expect(docker.calls()[0]).toMatch(new RegExp(`^compose --project-name cloakroom-${base} --project-directory \\S+/infra --file `));
});

it('a run writes the compose file for its ports, and passes compose the key that no file holds', async () => {
  const { running } = await run('*up*) echo "key ${#SESSION_MAC_KEY}";;', () => serve(200));
  const file = join(docker.folder, 'data', 'compose.yaml');
  const text = readFileSync(file, 'utf8');
  expect(parse(text)).toEqual(drawCompose({ base }));
  const key = readFileSync(join(docker.folder, 'data', 'session-mac.key'), 'utf8');
  expect(key).toHaveLength(43);
  expect(text).not.toContain(key);
  expect(statSync(file).mode & 0o077).toBe(0);
  expect(docker.calls().join('\n')).not.toContain(key);
  await running.stop();
});

it('a run shows the containers’ logs on request, until its end and no longer', async () => {
  const { running, shown } = await run('*up*) echo up;;\n*logs*) echo "auth | started"; exec sleep 60;;', () => serve(200), { logs: true });
  await vi.waitFor(() => expect(shown).toContain('auth | started'), { timeout: 5_000 });
  const began = performance.now();
  await running.stop();
  expect(performance.now() - began).toBeLessThan(5_000);
});

it('a fresh run removes the volumes first', async () => {
  const { running } = await run('*up*) echo up;;', () => serve(200), { fresh: true });
  expect(asked()[0]).toBe('down --volumes --remove-orphans');
  await running.stop();
});

const ps = [
  '{"Service":"kafka","State":"restarting","Health":"starting","ExitCode":1}',
  '{"Service":"certificates","State":"exited","Health":"","ExitCode":0}',
  '{"Service":"auth","State":"created","Health":"","ExitCode":0}',
  '{"Service":"redis-carts","State":"running","Health":"healthy","ExitCode":0}',
];

it('a failed start prints the last lines of the failing container, then ends the containers', async () => {
  const failing = run(
    [
      '*up*) echo starting; echo "dependency failed to start: container kafka is unhealthy" >&2; exit 1;;',
      `*"ps --all"*) printf '%s\\n' '${ps.join("' '")}';;`,
      '*logs*kafka) echo "Multiple garbage collectors selected";;',
    ].join('\n'),
    () => undefined,
  );
  await expect(failing).rejects.toMatchObject({ message: /kafka is unhealthy/, remedy: /what kafka said last/ });
  expect(shown).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^\nkafka ends again and again, with code 1/),
      expect.stringMatching(/^ {2}Multiple garbage collectors selected$/),
    ]),
  );
  expect(shown.join('\n')).not.toMatch(/certificates|auth|redis-carts/);
  expect(asked()).toEqual([
    'up --build --detach',
    'ps --all --format json',
    'logs --no-color --no-log-prefix --tail 15 kafka',
    'down --remove-orphans',
  ]);
});

it('a start that made no container gives the output of compose as the reason', async () => {
  const failing = run('*up*) echo "no space left on device" >&2; exit 1;;', () => undefined);
  await expect(failing).rejects.toMatchObject({ message: /no space left/, remedy: /what docker compose said/ });
  expect(asked().at(-1)).toBe('down --remove-orphans');
});

it('a shop is not ready while its gateways do not answer', async () => {
  const failing = run('*up*) echo up;;', () => serve(503));
  await expect(failing).rejects.toMatchObject({ message: /answered 503/ });
  expect(asked().at(-1)).toBe('down --remove-orphans');
});

it('an abandoned build leaves nothing running', async () => {
  const abandon = new AbortController();
  const failing = run('*up*) echo building; exec sleep 60;;', () => abandon.abort(), { abandon: abandon.signal });
  await expect(failing).rejects.toMatchObject({ message: /stopped/ });
  expect(asked().at(-1)).toBe('down --remove-orphans');
});

it('a taken port is named before anything is built', async () => {
  serve(200);
  await expect(run('*) echo never;;', () => undefined)).rejects.toMatchObject({ message: `port ${base} is in use` });
  expect(docker.calls()).toEqual([]);
});
