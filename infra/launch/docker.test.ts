import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { chooseProvider } from './provider.ts';
import { fakeDocker } from './docker.fixture.ts';
import type { FakeDocker } from './docker.fixture.ts';
import { findDocker } from './docker.ts';

let docker: FakeDocker;
let said: string[];

beforeEach(() => {
  said = [];
  vi.stubEnv('JAVA_HOME', '');
  vi.stubEnv('CLOAKROOM_NO_INSTALL', '1');
});
afterEach(() => {
  vi.unstubAllEnvs();
  docker.remove();
});

/** A machine with this docker and nothing else on it. */
function place(cases: string) {
  docker = fakeDocker(cases);
  vi.stubEnv('PATH', docker.folder);
}

const choose = (choice: 'auto' | 'docker') =>
  chooseProvider(choice, { env: {}, toolsDir: join(docker.folder, 'tools'), say: (line) => void said.push(line) });

const noEngine = 'info*) echo "Cannot connect to the Docker daemon. Is it running?" >&2; exit 1;;';
const engine = 'info*) echo 28.2.2;;';

it('takes docker in auto when an engine answers and native cannot be had', async () => {
  place(engine);
  const chosen = await choose('auto');
  expect(chosen).toMatchObject({ provider: 'docker', docker: { command: docker.command }, why: expect.stringMatching(/--infra native/) });
  expect(docker.calls()).toEqual(['info --format {{.ServerVersion}}', 'compose version']);
});

it('does not take a client without an engine for an engine, and says so in one line', async () => {
  place(noEngine);
  expect((await choose('auto')).provider).toBe('embedded');
  expect(said).toEqual([expect.stringMatching(/^not docker: no Docker engine answers \(.*Cannot connect/)]);
});

it('refuses docker that was asked for by name and cannot be had, with the remedy', async () => {
  place(noEngine);
  await expect(choose('docker')).rejects.toMatchObject({ message: /no Docker engine answers/, remedy: /start the engine/ });
});

it('says that there is no docker at all', async () => {
  place('');
  vi.stubEnv('PATH', '/nowhere');
  await expect(choose('docker')).rejects.toMatchObject({ message: /no docker on this machine/ });
});

it('says which part of docker is missing when compose is', async () => {
  place(`${engine}\ncompose*) echo "docker: unknown command: docker compose" >&2; exit 1;;`);
  expect(await findDocker()).toMatchObject({
    ok: false,
    why: expect.stringMatching(/no compose/),
    remedy: expect.stringMatching(/plugin/),
  });
});

it('refuses an engine that does not know the health checks of the compose file', async () => {
  place('info*) echo 20.10.24;;');
  expect(await findDocker()).toMatchObject({
    ok: false,
    why: expect.stringMatching(/20\.10\.24 is too old/),
    remedy: expect.stringMatching(/Engine 25 or newer/),
  });
});

it('waits 3 s at most for an engine that hangs', async () => {
  place('info*) exec /bin/sleep 30;;');
  const began = performance.now();
  expect(await findDocker()).toMatchObject({ ok: false, why: expect.stringMatching(/longer than 3 s/) });
  expect(performance.now() - began).toBeLessThan(6_000);
});
