/**
 * Each broker has a network namespace of its own, on a bridge inside a namespace that holds the rest of the run. The command starts itself again in
 * that outer namespace (`unshare --net`). So the run leaves the machine's own network alone, and everything here goes when the run ends.
 *
 *   [ services, Redis, PostgreSQL, clients: 127.0.0.1 ]--bridge 10.213.0.1--[ kafka-1: 10.213.0.11 ]  [ kafka-2: .12 ]  [ kafka-3: .13 ]
 */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LaunchSpec } from '../../infra/supervisor/child.ts';
import type { Reshape } from '../../infra/launch/harness.ts';
import { findOnPath } from '../../infra/native/debian.ts';
import type { Found } from '../../infra/native/debian.ts';
import type { ProcessSpec, StackSpec } from '../../infra/stack/stack.ts';

const insideVariable = 'CLOAKROOM_CHAOS_INSIDE';

/** The reason why this machine cannot have the namespaces; undefined when it can. */
export function lacksNamespaces(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'network namespaces need root on Linux';
  for (const tool of ['ip', 'unshare'])
    if (findOnPath(tool) === undefined) return `${tool} is missing (apt-get install iproute2 util-linux)`;
  const tried = spawnSync('unshare', ['--net', 'ip', 'link', 'add', 'probe', 'type', 'veth', 'peer', 'name', 'probe-peer']);
  return tried.status === 0 ? undefined : 'this kernel makes no veth pairs in a namespace';
}

export const isInside = (): boolean => process.env[insideVariable] === '1';

/** Starts this same command again inside a new network namespace. @returns its exit code */
export function beginInside(args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, [insideVariable]: '1' };
    const child = spawn('unshare', ['--net', process.execPath, ...args], { stdio: 'inherit', env });
    // The terminal's Ctrl-C reaches the child too. A signal to this process alone is passed on.
    const pass = (signal: NodeJS.Signals) => void child.kill(signal);
    process.on('SIGTERM', pass).on('SIGHUP', pass).on('SIGINT', pass);
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}

export interface Namespaces {
  readonly reshape: Reshape;
  readonly names: readonly string[];
  addressOf(name: string): string;
  /** Cuts the broker off: it reaches no other process, and no other process reaches it. */
  unplug(name: string): void;
  /** Drops packets from the first broker to the second. The other direction stays open. */
  block(from: string, to: string): void;
  /** Whether the first can open a TCP connection to a port of the second; `undefined`: from outside. */
  reaches(from: string | undefined, to: string, port: number): boolean;
  mend(): void;
  close(): void;
}

const outside = '10.213.0.1';

export function openNamespaces(brokers: readonly string[]): Found<Namespaces> {
  const prefix = `cloakroom-chaos-${process.pid}-`;
  const addresses = new Map(brokers.map((name, index) => [name, `10.213.0.${11 + index}`]));
  const addressOf = (name: string): string => addresses.get(name)!;
  const blocked: [from: string, to: string][] = [];
  const unplugged = new Set<string>();
  const close = (): void => {
    process.removeListener('exit', close);
    for (const name of brokers) spawnSync('ip', ['netns', 'del', prefix + name]);
  };
  process.once('exit', close);
  const failure = build(prefix, addresses);
  if (failure !== undefined) {
    close();
    return { ok: false, why: failure, remedy: 'run as root on Linux with iproute2' };
  }
  const value: Namespaces = {
    reshape: reshapeFor(prefix, addresses),
    names: brokers,
    addressOf,
    unplug: (name) => {
      unplugged.add(name);
      ip('link', 'set', name, 'down');
    },
    block: (from, to) => {
      blocked.push([from, to]);
      ip('-n', prefix + from, 'route', 'add', 'blackhole', addressOf(to));
    },
    reaches: (from, to, port) => {
      const attempt = ['bash', '-c', `exec 3<>/dev/tcp/${addressOf(to)}/${port}`];
      const within = from === undefined ? [] : ['ip', 'netns', 'exec', prefix + from];
      // A first packet may be lost while a bridge learns. It is sent again after a second.
      return spawnSync('timeout', ['5', ...within, ...attempt], { stdio: 'ignore' }).status === 0;
    },
    mend: () => {
      for (const [from, to] of blocked.splice(0)) ip('-n', prefix + from, 'route', 'del', 'blackhole', addressOf(to));
      for (const name of unplugged) ip('link', 'set', name, 'up');
      unplugged.clear();
    },
    close,
  };
  return { ok: true, value };
}

/** @returns the error, if there was one */
function build(prefix: string, addresses: ReadonlyMap<string, string>): string | undefined {
  try {
    ip('link', 'set', 'lo', 'up');
    ip('link', 'add', 'bridge', 'type', 'bridge');
    ip('addr', 'add', `${outside}/24`, 'dev', 'bridge');
    ip('link', 'set', 'bridge', 'up');
    for (const [name, address] of addresses) {
      const own = prefix + name;
      ip('netns', 'add', own);
      ip('link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', own);
      ip('link', 'set', name, 'master', 'bridge', 'up');
      ip('-n', own, 'link', 'set', 'lo', 'up');
      ip('-n', own, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
      ip('-n', own, 'link', 'set', 'eth0', 'up');
    }
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Moves the brokers to their addresses, and gives those addresses to every process that uses the brokers. */
function reshapeFor(prefix: string, addresses: ReadonlyMap<string, string>): Reshape {
  const moved = (text: string, spec: StackSpec): string =>
    spec.processes.reduce((all, { name, run }) => {
      const address = addresses.get(name);
      return address === undefined || run.kind !== 'kafka' ? all : all.replaceAll(`127.0.0.1:${run.port}`, `${address}:${run.port}`);
    }, text);
  const inNamespace = (process: ProcessSpec, launch: LaunchSpec): LaunchSpec => {
    const address = addresses.get(process.name);
    if (address === undefined || process.run.kind !== 'kafka') return launch;
    moveBroker(process.run.dir, process.run.among?.controllerPorts ?? [], address, [...addresses.values()]);
    return { ...launch, command: 'ip', args: ['netns', 'exec', prefix + process.name, launch.command, ...launch.args] };
  };
  return {
    launch: inNamespace,
    spec: (spec) => ({
      ...spec,
      processes: spec.processes.map((process) => {
        const { run, health } = process;
        const host = addresses.get(process.name);
        if (host !== undefined && health.kind === 'kafka') return { ...process, health: { ...health, host } };
        if (run.kind !== 'app') return process;
        const env = { ...run.app.env, KAFKA_BROKERS: moved(run.app.env['KAFKA_BROKERS'] ?? '', spec) };
        return run.app.env['KAFKA_BROKERS'] === undefined ? process : { ...process, run: { ...run, app: { ...run.app, env } } };
      }),
    }),
  };
}

/** Rewrites the broker's configuration from infra/native/kafka.ts with the addresses of the namespaces. */
function moveBroker(dir: string, controllerPorts: readonly number[], own: string, all: readonly string[]): void {
  const file = join(dir, 'server.properties');
  const voters = controllerPorts.map((port, index) => `${index + 1}@${all[index]}:${port}`).join(',');
  const text = readFileSync(file, 'utf8')
    .replaceAll('127.0.0.1', own)
    .replace(/^controller\.quorum\.voters=.*$/m, `controller.quorum.voters=${voters}`);
  writeFileSync(file, text);
}

/** @throws Error with the output of the command */
function ip(...args: string[]): void {
  const { status, stderr, error } = spawnSync('ip', args, { encoding: 'utf8', timeout: 5_000 });
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
}
