/** The shop in containers: how the tests of this suite start it, look at it and break it. `docker` on PATH is the engine's client. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from '@playwright/test';
import { composeFiles, composeProject, type Overlay } from '@cloakroom/infra';
import { dataDir, portBase } from '../kit/stack.ts';

const repository = join(import.meta.dirname, '..', '..');
const infra = join(repository, 'infra');
export const project = composeProject(portBase);

/** The first build fetches every package and compiles: a minute on two quiet cores, ten beside many other suites. */
export const startTimeoutMs = 20 * 60_000;
/** Each container has 10 s to end, one level after another. */
const stopTimeoutMs = 90_000;
/** A killed broker starts a JVM and reads its log back. */
export const healthyTimeoutMs = 120_000;

const run = promisify(execFile);
/** A log of debug lines is some megabytes. */
const outputMax = 64 << 20;

/** Both outputs together: the log of a container may be on either. */
export async function docker(...args: string[]): Promise<string> {
  const { stdout, stderr } = await run('docker', args, { maxBuffer: outputMax });
  return `${stdout}${stderr}`.trim();
}

/** Runs compose with the committed files where their ports are wanted, else with rendered files. */
export async function compose(overlays: readonly Overlay[], env: Readonly<Record<string, string>>, ...args: string[]): Promise<void> {
  mkdirSync(dataDir, { recursive: true });
  const files = composeFiles(portBase, overlays, dataDir).flatMap((file) => ['--file', file]);
  const options = { cwd: repository, env: { ...process.env, ...env }, timeout: startTimeoutMs, maxBuffer: outputMax };
  await run('docker', ['compose', '--project-directory', infra, ...files, ...args], options);
}

export interface Shop {
  readonly said: () => string;
  /** Ends it as Ctrl-C does. @returns the exit code */
  stop(): Promise<number | null>;
}

let running: ChildProcess | undefined;

/** `npm start -- --infra docker`, until it says that it is ready. */
export async function npmStart(...options: string[]): Promise<Shop> {
  let said = '';
  const child = spawn('npm', ['start', '--', '--infra', 'docker', '--port-base', String(portBase), ...options], {
    cwd: repository,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  running = child;
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  void exited.then(() => (running = undefined));
  await expect
    .poll(() => (child.exitCode === null ? said : `npm start ended with ${child.exitCode}: ${said}`), { timeout: startTimeoutMs })
    .toMatch(/Cloakroom is ready|npm start ended/);
  expect(said).toContain('Cloakroom is ready');
  return {
    said: () => said,
    async stop() {
      process.kill(-child.pid!, 'SIGINT');
      await expect.poll(() => said, { timeout: stopTimeoutMs }).toMatch(/^Stopped\.$/m);
      return exited;
    },
  };
}

/** Cleans up after a test that failed half-way. */
export async function endShop(): Promise<void> {
  const child = running;
  if (child === undefined) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  process.kill(-child.pid!, 'SIGINT');
  await exited;
}

export async function containerOf(service: string): Promise<string> {
  const label = (name: string, value: string) => ['--filter', `label=com.docker.compose.${name}=${value}`];
  const id = await docker('ps', '--all', '--quiet', ...label('project', project), ...label('service', service));
  expect(id, `${service} has a container`).not.toBe('');
  return id.split('\n')[0]!;
}

export async function inspect(service: string, format: string): Promise<string> {
  return docker('inspect', '--format', format, await containerOf(service));
}

/** kill -9 of all processes in the container except the first: the kernel lets no process inside kill that one. */
export async function killInside(service: string): Promise<void> {
  const before = Number(await inspect(service, '{{.RestartCount}}'));
  // The command itself may end with the container.
  await docker('exec', await containerOf(service), 'sh', '-c', 'kill -9 -1').catch(() => undefined);
  await expect
    .poll(() => inspect(service, '{{.RestartCount}} {{.State.Health.Status}}'), {
      timeout: healthyTimeoutMs,
      message: `${service} was started again and is healthy`,
    })
    .toBe(`${before + 1} healthy`);
}

/** Ids of volumes without a name. */
export async function unnamedVolumes(): Promise<string[]> {
  return (await docker('volume', 'ls', '--format', '{{.Name}}')).split('\n').filter((name) => /^[0-9a-f]{64}$/.test(name));
}

export async function untaggedImages(): Promise<string[]> {
  return (await docker('image', 'ls', '--quiet', '--filter', 'dangling=true')).split('\n').filter((id) => id !== '');
}
