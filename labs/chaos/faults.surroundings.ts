/** Faults around the processes: connections, clocks, a disk, the network between brokers, the slots of sessions. */
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { openTestCluster } from '@cloakroom/testing';
import type { ClusterNode, TcpProxy, TestCluster } from '@cloakroom/testing';
import { heldOf, latencyMsOf, partitionOf, skewMsOf } from './fault-settings.ts';
import { bounded, runningProcess } from './fault.ts';
import type { Inject } from './fault.ts';
import { randomOf } from './random.ts';
import { clearSkew, setSkew, skewSeen } from './skew.ts';
import { calledServices } from './stage.ts';
import type { Stage } from './stage.ts';

const isService = (target: string): boolean => calledServices.some((name) => name === target);
const proxyOf = (stage: Stage, target: string): TcpProxy => stage.proxies.get(target)!;

const askTimeoutMs = 1_000;
/** ApiVersions v0 (key 18), correlation id 1, no client id. Any broker answers it, and the proxy leaves it unchanged. */
const apiVersions = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);
const ping = Buffer.from('PING\r\n');

/**
 * Asks through the proxy, as clients do. A broker or a store gets its smallest request. A service gets a TLS handshake, and its first answer is its
 * own.
 * @returns after how many milliseconds an answer came; undefined when none did
 */
function asked(proxy: TcpProxy, target: string): Promise<number | undefined> {
  const began = performance.now();
  return new Promise((resolve) => {
    const at = { port: proxy.port, host: '127.0.0.1' };
    // This check does not depend on the owner of the certificate.
    const socket = isService(target) ? connectTls({ ...at, rejectUnauthorized: false, ALPNProtocols: ['h2'] }) : connect(at);
    socket.setNoDelay(true);
    const end = (tookMs: number | undefined) => {
      socket.destroy();
      resolve(tookMs);
    };
    socket.setTimeout(askTimeoutMs, () => end(undefined));
    if (isService(target)) socket.once('secureConnect', () => end(performance.now() - began));
    else socket.once('connect', () => socket.write(target === 'kafka' ? apiVersions : ping));
    socket.once('data', () => end(performance.now() - began));
    socket.once('error', () => end(undefined));
    socket.once('close', () => end(undefined));
  });
}

const silent = async (proxy: TcpProxy, target: string): Promise<string | undefined> =>
  (await asked(proxy, target)) === undefined ? undefined : `${target} answers`;

export const cut: Inject = (stage, { target }) => {
  const proxy = proxyOf(stage, target);
  proxy.cut();
  return Promise.resolve({
    doubt: () => silent(proxy, target),
    heal: () => Promise.resolve(proxy.mend()),
  });
};

/** Holds back one direction. The data on its way arrives when the fault is over. */
export const hold: Inject = (stage, { target, dial }) => {
  const proxy = proxyOf(stage, target);
  proxy.hold(heldOf(dial));
  return Promise.resolve({
    doubt: () => silent(proxy, target),
    heal: () => Promise.resolve(proxy.mend()),
  });
};

export const latency: Inject = (stage, { target, dial }) => {
  const proxy = proxyOf(stage, target);
  const ms = latencyMsOf(dial);
  proxy.delay(ms);
  return Promise.resolve({
    doubt: async () => {
      const tookMs = await asked(proxy, target);
      return tookMs !== undefined && tookMs < 2 * ms - 2 ? `${target} answered within ${tookMs.toFixed(0)} ms` : undefined;
    },
    heal: () => Promise.resolve(proxy.delay(0)),
  });
};

const resetIntervalMs = 300;

export const reset: Inject = (stage, { target }) => {
  const proxy = proxyOf(stage, target);
  const again = setInterval(() => proxy.reset(), resetIntervalMs);
  proxy.reset();
  return Promise.resolve({
    doubt: async () => {
      const before = proxy.resets();
      for (let waitedMs = 0; waitedMs < 10 * resetIntervalMs; waitedMs += resetIntervalMs) {
        if (proxy.resets() > before) return undefined;
        await delay(resetIntervalMs);
      }
      return proxy.resets() > before ? undefined : 'no connection was there to be reset';
    },
    heal: () => Promise.resolve(clearInterval(again)),
  });
};

/** A process notices its new clock within 50 ms, unless another fault pauses it. */
const skewSeenWithinMs = 1_000;

export const skew: Inject = async (stage, { target, dial }) => {
  const process = await runningProcess(stage, target);
  const offsetMs = skewMsOf(dial);
  const believes = async (wantedMs: number): Promise<boolean> => {
    const until = performance.now() + skewSeenWithinMs;
    for (;;) {
      const seen = skewSeen(stage.skewFolder, target);
      if (seen?.pid === process.pid() && seen?.offsetMs === wantedMs) return true;
      if (performance.now() > until) return false;
      await delay(20);
    }
  };
  setSkew(stage.skewFolder, target, offsetMs);
  return {
    doubt: async () => ((await believes(offsetMs)) ? undefined : `${target} has not seen it`),
    heal: async () => {
      clearSkew(stage.skewFolder, target);
      await believes(0);
    },
  };
};

/** A broker that cannot write gives its folder up and ends. It comes back once there is room. */
export const diskFull: Inject = async (stage, { target }) => {
  const process = await runningProcess(stage, target);
  const disk = stage.disks.get(target)!;
  disk.fill();
  return {
    doubt: () => Promise.resolve(disk.freeBytes() >= 4_096 ? `${disk.freeBytes()} bytes are free` : undefined),
    heal: async () => {
      disk.empty();
      await bounded(`the start of ${target}`, process.waitUntilReplaced(-1));
    },
  };
};

/** Partitions the brokers: one from all others, or a pair from each other, or one that the others hear and that hears none of them. */
export const partition: Inject = (stage, { target, dial }) => {
  const namespaces = stage.namespaces!;
  const portOf = (name: string): number => {
    const { run } = stage.stack.spec.processes.find((process) => process.name === name)!;
    return run.kind === 'kafka' ? run.port : 0;
  };
  const others = namespaces.names.filter((name) => name !== target);
  const way = partitionOf(dial);
  const [one] = others as [string];
  if (way === 'apart') namespaces.unplug(target);
  if (way === 'pair') namespaces.block(target, one);
  if (way === 'pair') namespaces.block(one, target);
  if (way === 'deaf') for (const other of others) namespaces.block(other, target);
  return Promise.resolve({
    doubt: () => {
      if (way === 'apart')
        return Promise.resolve(namespaces.reaches(undefined, target, portOf(target)) ? `${target} is reached` : undefined);
      return Promise.resolve(namespaces.reaches(one, target, portOf(target)) ? `${one} reaches ${target}` : undefined);
    },
    heal: () => Promise.resolve(namespaces.mend()),
  });
};

/** Moves slots with sessions in them, key by key, from one primary to another while people use them. */
export const slots: Inject = async (stage, planned) => {
  const cluster = await openTestCluster(stage.clusterUrl);
  const random = randomOf(Math.floor(planned.dial * 2 ** 32));
  let moved = 0;
  let stopped = false;
  const move = async (): Promise<void> => {
    while (!stopped) {
      moved += (await moveOne(cluster, random.pick)) ? 1 : 0;
      await delay(20);
    }
  };
  const running = move();
  running.catch(() => undefined);
  return {
    doubt: async () => {
      for (let waitedMs = 0; moved === 0 && waitedMs < 3_000; waitedMs += 50) await delay(50);
      return moved > 0 ? undefined : 'no slot was moved';
    },
    heal: async () => {
      stopped = true;
      try {
        await bounded('the last move of a slot', running);
        await cluster.whole();
      } finally {
        await cluster.close();
      }
    },
  };
};

async function moveOne(cluster: TestCluster, pick: <T>(items: readonly T[]) => T): Promise<boolean> {
  const primaries = await cluster.primaries();
  const from = pick(primaries);
  const key = (await from.redis.randomkey()) as string | null;
  if (key === null) return false;
  const slot = (await from.redis.cluster('KEYSLOT', key)) as number;
  const to: ClusterNode = pick(primaries.filter(({ port }) => port !== from.port));
  await cluster.moveSlot(slot, from, to, () => Promise.resolve());
  return true;
}
