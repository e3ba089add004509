/**
 * A library can be taken: packed with what it needs, installed into an empty project outside of this tree, type-checked there, and used by the
 * example of its page. Only npm speaks to the network, for the packages of others.
 */
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { systemClock } from '@cloakroom/platform';
import { openEventLog } from '@cloakroom/event-log';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { repository } from '../stack/folders.ts';
import { snippetOf } from './snippets.ts';

const scope = '@cloakroom/';
const taken = ['session', 'event-log', 'identity'];
/** Each takes seconds. A cold npm cache and a machine that also runs other tests may take minutes. */
const commandTimeoutMs = 240_000;
/** An example starts within a second or two; a busy machine may take longer. */
const exampleTimeoutMs = 30_000;

interface Manifest {
  readonly version: string;
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
}
const manifestOf = (folder: string) => JSON.parse(readFileSync(join(repository, folder, 'package.json'), 'utf8')) as Manifest;

/** A library and those that it depends on, by the names of their folders. */
function withNeeds(lib: string): string[] {
  const needs = Object.keys(manifestOf(`libs/${lib}`).dependencies ?? {}).filter((name) => name.startsWith(scope));
  return [...new Set([lib, ...needs.flatMap((name) => withNeeds(name.slice(scope.length)))])];
}

// npm and tsc run on the Node of this test. Settings that `npm test` left in the environment would lead npm back to the repository.
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^npm_(?:package|lifecycle|config_local_prefix)/.test(name)),
);
env['PATH'] = [dirname(process.execPath), env['PATH']].join(delimiter);
const run = (command: string, args: readonly string[], cwd: string, settings: Record<string, string> = {}) =>
  promisify(execFile)(command, args, { cwd, env: { ...env, ...settings }, timeout: commandTimeoutMs, maxBuffer: 16 << 20 }).catch(
    // tsc says on its output what is wrong, and the error has only the command.
    (error: { message: string; stdout?: string }) => Promise.reject(new Error(`${error.message}${error.stdout ?? ''}`)),
  );

let outside: string;
beforeAll(async () => {
  outside = mkdtempSync(join(tmpdir(), 'cloakroom-taken-'));
  const workspaces = [...new Set(taken.flatMap(withNeeds))].flatMap((lib) => ['-w', `libs/${lib}`]);
  await run('npm', ['pack', ...workspaces, '--pack-destination', outside], repository);
}, commandTimeoutMs);
afterAll(() => rmSync(outside, { recursive: true, force: true }));

/** @returns the project, with the example type-checked and compiled to out/index.js */
async function take(lib: string, example: string): Promise<string> {
  const project = join(outside, lib);
  mkdirSync(project);
  const parts = withNeeds(lib).map((name) => [`${scope}${name}`, `file:../cloakroom-${name}-${manifestOf(`libs/${name}`).version}.tgz`]);
  const { dependencies, devDependencies } = manifestOf(`libs/${lib}`);
  const known: Record<string, string> = { ...devDependencies, ...dependencies };
  const imported = [...example.matchAll(/^import .*?'([^']+)';$/gm)].map(([, name]) => name!);
  const others = imported.filter((name) => !isBuiltin(name) && !name.startsWith(scope)).map((name) => [name, known[name]]);
  const { typescript, '@types/node': nodeTypes } = manifestOf('.').devDependencies!;
  const manifest = {
    private: true,
    type: 'module',
    dependencies: Object.fromEntries([...parts, ...others]) as Record<string, string>,
    devDependencies: { typescript, '@types/node': nodeTypes },
  };
  const decorators = { experimentalDecorators: true, emitDecoratorMetadata: true };
  const compilerOptions = { target: 'es2024', module: 'nodenext', types: ['node'], strict: true, outDir: 'out', ...decorators };
  writeFileSync(join(project, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['index.ts'] }));
  writeFileSync(join(project, 'index.ts'), example);
  await run('npm', ['install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund'], project);
  await run(join(project, 'node_modules/.bin/tsc'), ['-p', '.'], project);
  return project;
}

/** Starts an example that serves until it is told to end, and prints its address when it listens. */
async function serve(project: string, settings: Record<string, string>) {
  const child = spawn(process.execPath, ['out/index.js'], { cwd: project, env: { ...env, ...settings }, timeout: commandTimeoutMs });
  let complaint = '';
  child.stderr.on('data', (text: Buffer) => (complaint += text.toString()));
  const ended = new Promise<unknown>((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)));
  const [url = ''] = await Promise.race([
    once(createInterface(child.stdout), 'line', { signal: AbortSignal.timeout(exampleTimeoutMs) }) as Promise<string[]>,
    ended.then((code) => Promise.reject(new Error(`the example ended with ${code}: ${complaint}`))),
  ]);
  return {
    call: (method: string, path: string, headers: Record<string, string> = {}, body?: string) =>
      fetch(`${url}${path}`, { method, headers, signal: AbortSignal.timeout(exampleTimeoutMs), ...(body !== undefined && { body }) }),
    end: () => (child.kill('SIGTERM'), ended),
  };
}

it('session, taken: a Nest app keeps its sessions on Redis', { timeout: 2 * commandTimeoutMs }, async () => {
  const project = await take('session', readFileSync(join(repository, 'libs/session/example/nest-sessions.ts'), 'utf8'));
  const settings = {
    REDIS_URL: `${process.env['TEST_SESSION_REDIS_URL']}/14`,
    TOKEN_KEYS: randomBytes(32).toString('base64url'),
    PORT: '0',
  };
  const first = await serve(project, settings);
  const signedIn = await first.call('POST', '/session', { 'content-type': 'application/json' }, '{"name":"ada"}');
  const cookie = signedIn.headers.get('set-cookie')!.split(';', 1)[0]!;
  expect(await (await first.call('GET', '/me', { cookie })).json()).toEqual({ subject: 'u_ada' });
  expect((await first.call('GET', '/me')).status).toBe(401);
  expect((await first.call('GET', '/me', { cookie: `${cookie.slice(0, -1)}!` })).status).toBe(401);
  await first.end();

  const second = await serve(project, settings);
  expect((await second.call('GET', '/me', { cookie })).status).toBe(200);
  expect((await second.call('DELETE', '/session', { cookie })).status).toBe(200);
  expect((await second.call('GET', '/me', { cookie })).status).toBe(401);
  await second.end();
});

it('event-log, taken: the code of its page appends to Kafka and follows it', { timeout: 2 * commandTimeoutMs }, async () => {
  const project = await take('event-log', snippetOf('event-log'));
  const brokers = process.env['TEST_KAFKA_BROKERS']!;
  await run(process.execPath, ['out/index.js'], project, { KAFKA_BROKERS: brokers });

  const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const log = await openEventLog({ kind: 'kafka', brokers: brokers.split(','), clientId: 'taken', log: quiet, clock: systemClock });
  const bounds = await log.bounds({ name: 'greetings', partitions: 3, cleanup: 'delete', retentionMs: -1 });
  expect([...bounds.values()].some(({ first, next }) => next > first)).toBe(true);
  await log.close();
});

it('identity, taken: a passport tells another service over gRPC for whom it is called', { timeout: 2 * commandTimeoutMs }, async () => {
  const project = await take('identity', readFileSync(join(repository, 'libs/identity/example/two-services.ts'), 'utf8'));
  await run(process.execPath, ['out/index.js'], project);
  writeFileSync(join(project, 'index.ts'), snippetOf('identity'));
  await run(join(project, 'node_modules/.bin/tsc'), ['-p', '.'], project);
  await run(process.execPath, ['out/index.js'], project);
});
