/** The stack of a chaos run. It has its own ports and fresh data, with everything in place that a fault needs. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { openTcpProxy } from '@cloakroom/testing';
import type { TcpProxy } from '@cloakroom/testing';
import { dataRoot } from '../../infra/stack/folders.ts';
import { startStack } from '../../infra/launch/harness.ts';
import type { RunningStack } from '../../infra/launch/harness.ts';
import { waitFor } from '../../infra/supervisor/probe.ts';
import { StackError } from '../../infra/stack/outcome.ts';
import { oceanKey } from '../../infra/launch/secrets.ts';
import type { OceanCommand } from '../../infra/ocean/ocean.types.ts';
import { clusterPortsOf, oceanControlOf, portsOf } from '../../infra/stack/stack.ports.ts';
import { oceanRttMs } from '../../infra/stack/stack.regions.ts';
import type { ProcessSpec, Profile, StackSpec } from '../../infra/stack/stack.ts';
import { isInside, lacksNamespaces, openNamespaces } from './namespaces.ts';
import type { Namespaces } from './namespaces.ts';
import { menuOf } from './schedule.ts';
import type { Choice, FaultName } from './schedule.ts';
import { skewPreload } from './skew.ts';
import { mountSmallDisk, unmountLeftovers } from './small-disk.ts';
import type { SmallDisk } from './small-disk.ts';

/** Services that the gateways and other services call over gRPC. */
export const calledServices = ['auth', 'cart', 'profile', 'catalog', 'orders'] as const;
type Called = (typeof calledServices)[number];
export type Proxied = 'kafka' | 'redis-sessions' | 'redis-carts' | Called;

export interface Stage {
  readonly profile: Profile;
  readonly stack: RunningStack;
  readonly proxies: ReadonlyMap<string, TcpProxy>;
  readonly disks: ReadonlyMap<string, SmallDisk>;
  readonly namespaces: Namespaces | undefined;
  readonly skewFolder: string;
  /** The sessions' Redis Cluster; undefined where there is none. */
  readonly clusterUrl: string | undefined;
  /** The round trip between two regions while all is well. */
  readonly oceanRttMs: number;
  /** Tells the ocean what to do. @throws StackError where it does not obey, or where there is none */
  ocean(command: OceanCommand): Promise<void>;
  /** The faults that are possible for this stack on this machine. */
  readonly menu: readonly Choice[];
  /** The reasons why faults that were asked for are impossible. */
  readonly leftOut: readonly string[];
  /** @throws StackError when the stack is not healthy again within `timeoutMs` */
  untilHealthy(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

export interface StageRequest {
  readonly profile: Profile;
  readonly base: number;
  readonly only?: readonly FaultName[] | undefined;
  readonly say: (line: string) => void;
}

/** Time from the moment every process is ready until the gateways have noticed it. */
const startedWithinMs = 60_000;

/** @throws StackError; nothing is left behind then */
export async function openStage({ profile, base, only, say }: StageRequest): Promise<Stage> {
  const dataDir = join(dataRoot, `chaos-${profile}-${base}`);
  const wants = (name: FaultName): boolean => only === undefined || only.includes(name);
  const undo: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed()) await step();
  };
  unmountLeftovers(dataDir);
  rmSync(dataDir, { recursive: true, force: true });
  const leftOut: string[] = [];
  try {
    const disks = openDisks(profile, dataDir, wants, leftOut, undo);
    const namespaces = openBrokers(profile, wants, leftOut, undo);
    const proxies = profile === 'usual' ? await openProxies(base, undo) : new Map<Proxied, TcpProxy>();
    const skewFolder = join(dataDir, 'skew');
    say(`starting a stack of its own on ports ${base} and up (${profile === 'usual' ? 'native' : `native ${profile}`})`);
    const stack = await startStack({
      provider: 'native',
      profile,
      base,
      dataDir,
      telemetry: {},
      preload: skewPreload(skewFolder),
      storageUrls: detoursTo(proxies),
      reshape: { ...namespaces?.reshape, spec: (drawn) => patient(detoured(namespaces?.reshape.spec?.(drawn) ?? drawn, proxies)) },
    });
    undo.push(() => stack.stop());
    const menu = menuOf({
      processes: stack.spec.processes.map(({ name }) => name),
      proxied: [...proxies.keys()],
      smallDisks: [...disks.keys()],
      namespaces: namespaces?.names ?? [],
      only,
    });
    const untilHealthy = (timeoutMs: number) => waitUntilHealthy(stack, timeoutMs);
    await untilHealthy(startedWithinMs);
    const clusterUrl = profile === 'cluster' ? urlOfCluster(base) : undefined;
    const ocean = (command: OceanCommand) => tellOcean(stack.spec, command);
    return { profile, stack, proxies, disks, namespaces, skewFolder, clusterUrl, oceanRttMs, ocean, menu, leftOut, untilHealthy, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Processes start again and again, beside other starts, on a busy machine. So only a hang is a failure. */
const slowness = 3;

const patient = (spec: StackSpec): StackSpec => ({
  ...spec,
  processes: spec.processes.map((process) => ({ ...process, readyTimeoutMs: process.readyTimeoutMs * slowness })),
});

const brokersOf = (profile: Profile): string[] => (profile === 'cluster' ? ['kafka-1', 'kafka-2', 'kafka-3'] : ['kafka']);

type Wants = (name: FaultName) => boolean;

/** One broker gets a small disk: in a cluster the other brokers must go on. */
function openDisks(profile: Profile, dataDir: string, wants: Wants, leftOut: string[], undo: (() => unknown)[]): Map<string, SmallDisk> {
  const name = brokersOf(profile).at(-1)!;
  // Two regions have faults enough that one region has not.
  if (!wants('disk-full') || profile === 'regions') return new Map();
  const disk = mountSmallDisk(join(dataDir, name));
  if (!disk.ok) {
    leftOut.push(`disk-full: ${disk.why}. Remedy: ${disk.remedy}`);
    return new Map();
  }
  undo.push(() => disk.value.unmount());
  return new Map([[name, disk.value]]);
}

function openBrokers(profile: Profile, wants: Wants, leftOut: string[], undo: (() => unknown)[]): Namespaces | undefined {
  if (profile !== 'cluster' || !wants('partition')) return undefined;
  const lack = isInside() ? undefined : (lacksNamespaces() ?? 'the command did not begin itself inside a namespace');
  const opened =
    lack === undefined ? openNamespaces(brokersOf(profile)) : ({ ok: false, why: lack, remedy: 'run as root on Linux' } as const);
  if (opened.ok) {
    undo.push(() => opened.value.close());
    return opened.value;
  }
  leftOut.push(`partition: ${opened.why}. Remedy: ${opened.remedy}`);
  return undefined;
}

async function openProxies(base: number, undo: (() => unknown)[]): Promise<Map<Proxied, TcpProxy>> {
  const ports = portsOf(base);
  const proxies = new Map<Proxied, TcpProxy>();
  const open = async (name: Proxied, port: number, protocol: 'kafka' | 'any'): Promise<void> => {
    const proxy = await openTcpProxy({ port, protocol });
    undo.push(() => proxy.close());
    proxies.set(name, proxy);
  };
  await open('kafka', ports.kafka, 'kafka');
  await open('redis-sessions', ports.redisSessions, 'any');
  await open('redis-carts', ports.redisCarts, 'any');
  for (const name of calledServices) await open(name, ports[name].mesh, 'any');
  return proxies;
}

/** Callers of a service get the port of its proxy. */
function detoured(spec: StackSpec, proxies: ReadonlyMap<Proxied, TcpProxy>): StackSpec {
  const addresses = Object.fromEntries(
    calledServices.flatMap((name) => {
      const proxy = proxies.get(name);
      // A host name, as before: certificates contain names.
      return proxy === undefined ? [] : [[`${name.toUpperCase()}_ADDRESS`, `localhost:${proxy.port}`]];
    }),
  );
  const told = (run: ProcessSpec['run']): ProcessSpec['run'] =>
    run.kind === 'app' ? { ...run, app: { ...run.app, env: { ...run.app.env, ...addresses } } } : run;
  return { ...spec, processes: spec.processes.map((process) => ({ ...process, run: told(process.run) })) };
}

function detoursTo(proxies: ReadonlyMap<Proxied, TcpProxy>) {
  const [kafka, sessions, carts] = (['kafka', 'redis-sessions', 'redis-carts'] as const).map((name) => proxies.get(name)?.address);
  if (kafka === undefined) return {};
  return { KAFKA_BROKERS: kafka, SESSION_REDIS_URL: `redis://${sessions}`, CART_REDIS_URL: `redis://${carts}` };
}

async function tellOcean({ base, dataDir }: StackSpec, command: OceanCommand): Promise<void> {
  const headers = { authorization: `Bearer ${oceanKey(dataDir)}` };
  const told = await fetch(`http://127.0.0.1:${oceanControlOf(base)}/`, { method: 'POST', headers, body: JSON.stringify(command) });
  if (!told.ok) throw new StackError(`the ocean answers ${told.status}: ${await told.text()}`, `read ${dataDir}/logs/ocean.log`);
}

const urlOfCluster = (base: number): string =>
  `redis-cluster://${clusterPortsOf(base)
    .redisSessions.map((port) => `127.0.0.1:${port}`)
    .join(',')}`;

/** Waits until every process is ready. Each gateway must hold the lease on cached identity, find auth and cart ready, and have products to show. */
async function waitUntilHealthy(stack: RunningStack, timeoutMs: number): Promise<void> {
  const until = performance.now() + timeoutMs;
  const left = (): number => Math.max(1, until - performance.now());
  for (const [name, process] of Object.entries(stack.processes)) {
    const ready = await within(process.waitUntilReplaced(-1), left());
    if (!ready)
      throw new StackError(`${name} is not ready again after ${timeoutMs / 1000} s`, `read ${stack.spec.dataDir}/logs/${name}.log`);
  }
  for (const gateway of stack.gateways) {
    const result = await waitFor(() => readinessOf(gateway), { timeoutMs: left() });
    if (!result.ok)
      throw new StackError(`${gateway} is not well after ${timeoutMs / 1000} s: ${result.detail}`, `read ${stack.spec.dataDir}/logs`);
  }
}

type Parts = Readonly<Record<string, { readonly leased?: boolean; readonly ready?: boolean } | undefined>>;

async function readinessOf(gateway: string): Promise<{ ok: true; detail: string } | { ok: false; detail: string }> {
  try {
    const answer = await fetch(`${gateway}/readyz`, { signal: AbortSignal.timeout(2_000) });
    const { parts } = (await answer.json()) as { parts: Parts };
    // With two regions a gateway has a feed for each.
    const feeds = Object.entries(parts).filter(([name]) => name === 'feed' || name.startsWith('feed-'));
    const well = feeds.every(([, feed]) => feed?.leased === true) && parts['auth']?.ready === true && parts['cart']?.ready === true;
    // Readiness does not list the catalog, since a gateway goes on without it.
    const products = await fetch(`${gateway}/api/products?pageSize=1`, { signal: AbortSignal.timeout(2_000) });
    await products.body?.cancel();
    return { ok: well && products.ok, detail: `${JSON.stringify(parts).slice(0, 300)}, products ${products.status}` };
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

/** @returns false when the promise took longer */
export async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), ms)));
  try {
    return await Promise.race([promise.then(() => true as const), late]);
  } finally {
    clearTimeout(timer);
  }
}
