import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { commandInContainer, databaseOf } from './admin.ts';
import { fakeDocker, type FakeDocker } from '../launch/docker.fixture.ts';
import { portsOf } from '../stack/stack.ports.ts';
import type { StackState } from '../supervisor/state.ts';

let docker: FakeDocker;
let folder: string;
beforeEach(() => {
  docker = fakeDocker('');
  folder = mkdtempSync(join(tmpdir(), 'cloakroom-admin-'));
});
afterEach(() => {
  docker.remove();
  rmSync(folder, { recursive: true });
});

const engineWith = (...containers: string[]) => {
  docker.remove();
  docker = fakeDocker(`ps*) printf '%s\\n' '${containers.join("' '")}';;`);
  return docker.command;
};

it('an administrator of a shop in containers is named inside its auth', async () => {
  const command = await commandInContainer(engineWith('3f2a cloakroom', '77aa another-shop'), undefined);
  expect(command).toEqual({ file: docker.command, args: ['exec', '3f2a', 'node', 'apps/auth/dist/admin.main.js'] });
  expect(docker.calls()).toEqual([
    'ps --filter label=com.docker.compose.service=auth --format {{.ID}} {{.Label "com.docker.compose.project"}}',
  ]);
});

it('of several shops in containers the port says which', async () => {
  const engine = engineWith('3f2a cloakroom', '9b1c cloakroom-5000');
  await expect(commandInContainer(engine, undefined)).rejects.toMatchObject({ remedy: /--port-base/ });
  expect((await commandInContainer(engine, 4000))?.args[1]).toBe('3f2a');
  expect((await commandInContainer(engine, 5000))?.args[1]).toBe('9b1c');
  expect(await commandInContainer(engine, 6000)).toBeUndefined();
});

it('where no engine answers no shop runs in containers', async () => {
  docker.remove();
  docker = fakeDocker('*) echo "Cannot connect to the Docker daemon" >&2; exit 1;;');
  expect(await commandInContainer(docker.command, undefined)).toBeUndefined();
});

it('the database of an external shop is the one that the environment names, never a file from before', () => {
  const state = { provider: 'external', base: 4000, processes: [] } as unknown as StackState;
  const shop = { state, dataDir: folder, region: undefined, ports: portsOf(4000) };
  mkdirSync(join(folder, 'db'));
  writeFileSync(join(folder, 'db', 'auth.sqlite'), '');
  expect(() => databaseOf(shop, {})).toThrow(/no variable names/);
  expect(databaseOf(shop, { DATABASE_URL: 'postgres://db.example/any' })).toEqual({ DATABASE_URL: 'postgres://db.example/auth' });
  expect(databaseOf(shop, { DATABASE_URL_AUTH: 'sqlite:/data/db/auth.sqlite' })).toEqual({ DATABASE_URL: 'sqlite:/data/db/auth.sqlite' });
});
