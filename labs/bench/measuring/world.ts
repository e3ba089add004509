/**
 * The system that a benchmark measures: parts of the drawn stack (infra/stack/stack.ts), the same processes as `npm start`,
 * on the core of the system under test. Programs of the benchmark itself run beside them. Kafka is not on the way of a
 * request, so it gets the generator's core.
 */
import { join } from 'node:path';
import type { Child, LaunchSpec } from '../../../infra/supervisor/child.ts';
import { launch } from '../../../infra/supervisor/child.ts';
import { commandFor } from '../../../infra/launch/commands.ts';
import { dataRoot, toolsDir } from '../../../infra/stack/folders.ts';
import { portTaken, waitFor } from '../../../infra/supervisor/probe.ts';
import { chooseProvider } from '../../../infra/launch/provider.ts';
import { meshCertificates, newObservatoryKeys, sessionMacKey } from '../../../infra/launch/secrets.ts';
import { drawStack, portsOf, type ProcessName, type ProcessSpec } from '../../../infra/stack/stack.ts';
import { Supervisor } from '../../../infra/supervisor/supervisor.ts';
import { cores, pinned } from './machine.ts';

export interface WorldRequest {
  readonly name: string;
  readonly base: number;
  readonly parts: readonly ProcessName[];
  /** Replaces variables that the drawing gives each app; undefined removes one. */
  readonly env?: (name: ProcessName) => Readonly<Record<string, string | undefined>>;
  /** Programs that replace parts that are left out. They start once the certificates are there. */
  readonly programs?: readonly Program[];
  /** Options for Node, by process: for example a profiler's port. */
  readonly flags?: Readonly<Partial<Record<ProcessName, readonly string[]>>>;
  /** Starts the Observatory too, and gives the services its key. They know its address only where `env` leaves it in. */
  readonly observatory?: boolean;
  /** Leaves all processes where the kernel puts them. */
  readonly unpinned?: boolean;
}

export interface Program {
  readonly name: string;
  /** A file beside this one. */
  readonly script: string;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
}

export interface World {
  readonly base: number;
  readonly dataDir: string;
  readonly tlsDir: string;
  readonly macKey: string;
  readonly gateways: readonly [string, string, ...string[]];
  /** Its address, and the key of its page. */
  readonly observatory: { readonly url: string; readonly pageKey: string } | undefined;
  pid(name: string): number;
  pids(...names: string[]): Record<string, number>;
  /** Starts one more program of the benchmark, whose arguments are known only now. */
  add(program: Program): Promise<void>;
  stop(): Promise<void>;
}

/** Raises limits that protect a replica from one busy address: the generator is one. */
const unlimited = { RATE_LIMIT_PER_10S: '10000000', SIGN_IN_LIMIT_PER_MINUTE: '10000000', GUEST_LIMIT_PER_MINUTE: '10000000' };
const programReadyMs = 30_000;
const programGraceMs = 3_000;
const onGeneratorCore: ReadonlySet<string> = new Set(['kafka', 'redis-carts']);

export async function openWorld(request: WorldRequest): Promise<World> {
  const { base, parts } = request;
  const dataDir = join(dataRoot, `bench-${request.name}-${base}`);
  const chosen = await chooseProvider('native', { env: process.env, toolsDir, say: () => undefined });
  const drawn = drawStack({ provider: 'native', base, dataDir, logLevel: 'warn', observatory: request.observatory });
  const processes = drawn.processes
    .filter(({ name }) => parts.includes(name) || name === 'observatory')
    .map((spec) => ({ ...spec, needs: spec.needs.filter((name) => parts.includes(name)), run: told(spec, request) }));
  const keys = request.observatory === true ? newObservatoryKeys() : undefined;
  const command = commandFor(dataDir, chosen.tools, [], keys);
  const programs = new Map<string, Child>();
  const add = async (program: Program): Promise<void> => {
    const child = launch(pin(nodeCommand(program, dataDir), request.unpinned));
    programs.set(program.name, child);
    const listens = async () => ({ ok: await portTaken(program.port), detail: `${program.name} does not listen on ${program.port}` });
    const ready = await waitFor(listens, {
      timeoutMs: programReadyMs,
      givesUp: () =>
        child.exit() === undefined ? undefined : `${program.name} ended: see ${join(dataDir, 'logs', `${program.name}.log`)}`,
    });
    if (!ready.ok) throw new Error(ready.detail);
  };
  const supervisor = new Supervisor({
    spec: { ...drawn, processes },
    prepare: async (spec, logFile) => pin(withFlags(await command(spec, logFile), request.flags?.[spec.name] ?? []), request.unpinned),
    provision: async () => {
      await meshCertificates(dataDir);
      for (const program of request.programs ?? []) await add(program);
    },
    onEvent: () => undefined,
  });
  const stop = async (): Promise<void> => {
    await supervisor.stop();
    await Promise.all([...programs.values()].map((child) => child.end(programGraceMs)));
  };
  const pid = (name: string): number => programs.get(name)?.pid ?? supervisor.find(name).pid ?? Number.NaN;
  const world: World = {
    base,
    dataDir,
    tlsDir: join(dataDir, 'tls'),
    get macKey() {
      return sessionMacKey(dataDir);
    },
    gateways: drawn.gateways,
    observatory: keys && { url: `http://localhost:${portsOf(base).observatory}`, pageKey: keys.page },
    pid,
    pids: (...names) => Object.fromEntries(names.map((name) => [name, pid(name)])),
    add,
    stop,
  };
  try {
    await supervisor.start({ fresh: true });
  } catch (error) {
    await stop();
    throw error;
  }
  return world;
}

function told(spec: ProcessSpec, { env }: WorldRequest): ProcessSpec['run'] {
  if (spec.run.kind !== 'app') return spec.run;
  const limits = spec.run.app.app === 'gateway' ? unlimited : {};
  const all = { ...spec.run.app.env, ...limits, ...env?.(spec.name) };
  const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { kind: 'app', app: { ...spec.run.app, env: Object.fromEntries(given) } };
}

function withFlags(spec: LaunchSpec, flags: readonly string[]): LaunchSpec {
  return { ...spec, args: [...flags, ...spec.args] };
}

function pin(spec: LaunchSpec, unpinned = false): LaunchSpec {
  if (cores === undefined || unpinned) return spec;
  const [command, args] = pinned(onGeneratorCore.has(spec.name) ? 'generator' : 'system', spec.command, spec.args);
  return { ...spec, command, args };
}

function nodeCommand({ name, script, port, env }: Program, dataDir: string): LaunchSpec {
  return {
    name,
    command: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', script],
    env: { ...env, LISTEN_PORT: String(port), TLS_DIR: join(dataDir, 'tls'), NODE_ENV: 'production' },
    logFile: join(dataDir, 'logs', `${name}.log`),
  };
}

/** The program that takes the place of cart and catalog behind every front that is compared. */
export function backendOf(base: number): Program {
  const { auth, cart, catalog } = portsOf(base);
  const env = { CART_PORT: String(cart.mesh), AUTH_ADDRESS: `localhost:${auth.mesh}` };
  return { name: 'backend', script: join(import.meta.dirname, '../edge/backend.main.ts'), port: catalog.mesh, env };
}

/** The addresses at which a front finds it. */
export function backendAddresses(base: number): { readonly CART_ADDRESS: string; readonly CATALOG_ADDRESS: string } {
  const ports = portsOf(base);
  return { CART_ADDRESS: `localhost:${ports.cart.mesh}`, CATALOG_ADDRESS: `localhost:${ports.catalog.mesh}` };
}
