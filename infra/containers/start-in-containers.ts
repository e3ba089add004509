/**
 * `npm start -- --infra docker`: compose starts and watches; this file waits, shows output and ends. The compose file is
 * rendered for the chosen ports. On port base 4000 with no other option it is infra/compose.yaml itself. Data is in the
 * engine's volumes and stays; --fresh removes them.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { dataDirOf, repository } from '../stack/folders.ts';
import { StackError } from '../stack/outcome.ts';
import { httpProbe, portTaken, waitFor } from '../supervisor/probe.ts';
import { databasePassword, keyEncryptionKey, refreshTokenKey, sessionMacKey } from '../launch/secrets.ts';
import type { Database } from '../stack/stack.spec.ts';
import { portsOf } from '../stack/stack.ts';
import { drawCompose } from './compose.ts';
import type { Docker } from '../launch/docker.ts';
import { failingContainers } from './failing.ts';
import { toYaml } from './to-yaml.ts';

/** The first build fetches Node, every package and the compiler over the network. */
const upTimeoutMs = 30 * 60_000;
/** Compose gives each container its own grace of 10 s, level by level. */
const downTimeoutMs = 90_000;
/** The engine has just answered; this look must not delay the end. */
const lookTimeoutMs = 10_000;
/** All parts except the gateways are healthy by then. The gateways have the 90 s of a container's start, and half a minute more. */
const readyTimeoutMs = 120_000;

/** A person ended the start, so there is nothing to explain. */
const stopped = 'stopped';

type Print = (line: string) => void;

export interface ContainersRequest {
  readonly base: number;
  readonly fresh: boolean;
  readonly logs: boolean;
  readonly logLevel?: string | undefined;
  readonly sessionMode?: string | undefined;
  readonly sessionModes?: string | undefined;
  readonly database?: Database | undefined;
  /** .cloakroom/docker by default. */
  readonly dataDir?: string;
  /** Builds, starts and waits. The wait is as long as the containers' own start-up limit. */
  readonly readyTimeoutMs?: number;
}

export interface RunningContainers {
  readonly gateways: readonly [string, string];
  readonly project: string;
  stop(): Promise<void>;
}

/** @param abandon ends a start that is running. @throws StackError, and then nothing is left running */
export async function startContainers(
  docker: Docker,
  request: ContainersRequest,
  print: Print,
  abandon?: AbortSignal,
): Promise<RunningContainers> {
  const ports = portsOf(request.base).gateways;
  for (const port of ports) {
    if (await portTaken(port))
      throw new StackError(
        `port ${port} is in use`,
        `stop what uses it, or choose others: npm start -- --port-base ${request.base + 1000}`,
      );
  }
  const compose = prepare(docker, request);
  const stop = () => compose.run(['down', '--remove-orphans'], { timeoutMs: downTimeoutMs, onLine: () => undefined }).then(() => undefined);
  if (request.fresh) await compose.run(['down', '--volumes', '--remove-orphans'], { timeoutMs: downTimeoutMs, onLine: () => undefined });
  const failure = await compose.run(['up', '--build', '--detach'], { timeoutMs: upTimeoutMs, onLine: print, abandon });
  const ready = failure === undefined ? await gatewaysReady(ports, request.readyTimeoutMs ?? readyTimeoutMs, abandon) : undefined;
  if (failure !== undefined || ready !== undefined) {
    const why = failure ?? ready;
    // This must come before they are removed, because their logs go with them.
    const failing = why === stopped ? [] : await compose.failing();
    for (const container of failing) {
      print(`\n${container.service} ${container.state}; its last lines:`);
      for (const line of container.lastLines) print(`  ${line}`);
    }
    await stop();
    const names = failing.map(({ service }) => service).join(', ');
    throw new StackError(
      `the containers did not come up: ${why}`,
      names === '' ? 'read what docker compose said above' : `read above what ${names} said last; if data is damaged, start with --fresh`,
    );
  }
  const unfollow = request.logs ? compose.follow(print) : () => undefined;
  return {
    gateways: [`http://localhost:${ports[0]}`, `http://localhost:${ports[1]}`],
    project: compose.project,
    async stop() {
      unfollow();
      await stop();
    },
  };
}

async function gatewaysReady(ports: readonly number[], timeoutMs: number, abandon: AbortSignal | undefined): Promise<string | undefined> {
  for (const port of ports) {
    const givesUp = () => (abandon?.aborted === true ? stopped : undefined);
    const answer = await waitFor(httpProbe(`http://127.0.0.1:${port}/readyz`), { timeoutMs, givesUp });
    if (!answer.ok) return answer.detail;
  }
  return undefined;
}

interface RunOptions {
  readonly timeoutMs: number;
  readonly onLine: Print;
  readonly abandon?: AbortSignal | undefined;
}

function prepare(docker: Docker, request: ContainersRequest) {
  const { base, logLevel, sessionMode, sessionModes, database, dataDir = dataDirOf('docker', base, database) } = request;
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const drawn = drawCompose({ base, logLevel, sessionMode, sessionModes, database });
  const file = join(dataDir, 'compose.yaml');
  writeFileSync(file, toYaml(drawn), { mode: 0o600 });
  const project = drawn.name ?? 'cloakroom';
  // Paths in the file are relative to infra/, the folder of the committed file.
  const common = ['compose', '--project-name', project, '--project-directory', join(repository, 'infra'), '--file', file];
  const env = {
    SESSION_MAC_KEY: sessionMacKey(dataDir),
    REFRESH_TOKEN_KEY: refreshTokenKey(dataDir),
    KEY_ENCRYPTION_KEY: keyEncryptionKey(dataDir),
    ...(database === 'postgres' && { DATABASE_PASSWORD: databasePassword(dataDir) }),
  };
  const start = (args: readonly string[], options: { readonly timeoutMs?: number; readonly abandon?: AbortSignal | undefined }) =>
    // It gets a process group of its own. So Ctrl-C reaches only this process, which then ends the containers in order.
    execa(docker.command, [...common, ...args], {
      env,
      all: true,
      reject: false,
      detached: true,
      stdin: 'ignore',
      ...(options.timeoutMs !== undefined && { timeout: options.timeoutMs }),
      ...(options.abandon !== undefined && { cancelSignal: options.abandon }),
    });
  return {
    project,
    /** @returns undefined when it went well, else one line saying why not */
    async run(args: readonly string[], { timeoutMs, onLine, abandon }: RunOptions): Promise<string | undefined> {
      const child = start(args, { timeoutMs, abandon });
      let last = '';
      for await (const line of child.iterable({ from: 'all', preserveNewlines: false })) {
        const text = String(line).trim();
        if (text === '') continue;
        last = text;
        onLine(text);
      }
      const result = await child;
      if (!result.failed) return undefined;
      if (result.isCanceled) return stopped;
      return result.timedOut ? `docker compose ${args[0]} took longer than ${timeoutMs / 1000} s` : last || result.shortMessage;
    },
    failing: () => failingContainers(async (args) => (await start(args, { timeoutMs: lookTimeoutMs })).stdout),
    follow(onLine: Print): () => void {
      const ending = new AbortController();
      const child = start(['logs', '--follow', '--tail', '50'], { abandon: ending.signal });
      void (async () => {
        for await (const line of child.iterable({ from: 'all' })) onLine(String(line));
      })().catch(() => undefined);
      return () => ending.abort();
    },
  };
}
