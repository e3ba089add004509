/**
 * A Docker engine out of Debian's packages, for as long as a suite runs. It lives in its own namespaces, so it touches no port, firewall
 * rule, mount or process of the machine. slirp4netns connects it to the network, for a build that fetches packages.
 *
 * Its first process is killed together with ours (child.ts). The kernel then ends every container and removes every mount.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { childrenOf, launch } from '../supervisor/child.ts';
import type { Child } from '../supervisor/child.ts';
import { run } from '../native/debian.ts';
import type { Say } from '../native/debian.ts';
import { orStackError, StackError } from '../stack/outcome.ts';
import { waitFor } from '../supervisor/probe.ts';
import type { ProbeResult } from '../supervisor/probe.ts';
import { groupPrefix, removeGroups } from './control-groups.ts';
import { obtainPrograms } from './programs.ts';

/** Measured: 1.4 s, and several times that on a machine that is busy with other suites. */
const readyTimeoutMs = 60_000;
const answerTimeoutMs = 3_000;
/** Its containers are gone by then; it only writes its state down. */
const stopTimeoutMs = 20_000;

export interface Engine {
  /** For the programs that use it: its socket, its client and the client's plugins. */
  readonly env: Readonly<Record<string, string>>;
  /** Prefix of a command that must reach a published port. Empty where the ports are this machine's. */
  readonly within: readonly string[];
  stop(): Promise<void>;
}

/**
 * @param dataDir keeps images and the caches of builds
 * @throws StackError, and then nothing is left running
 */
export async function startEngine(toolsDir: string, dataDir: string, logFile: string, say: Say): Promise<Engine> {
  const unpacked = orStackError(await obtainPrograms(toolsDir, say));
  const bin = (name: string) => join(unpacked, 'usr', name);
  // The path of a socket has 107 characters at most, and the folder of the project may be longer.
  const folder = mkdtempSync(join(tmpdir(), 'cloakroom-engine-'));
  const group = `${groupPrefix}${process.pid}`;
  removeGroups();
  mkdirSync(dataDir, { recursive: true });
  const env = {
    PATH: [bin('sbin'), bin('bin'), process.env['PATH'], '/usr/sbin', '/sbin'].join(delimiter),
    DOCKER_HOST: `unix://${join(folder, 'docker.sock')}`,
    DOCKER_CONFIG: join(unpacked, 'config'),
  };
  const children: Child[] = [];
  const begin = (name: string, command: string, ...args: string[]) => {
    // unshare reacts to no gentler signal. Its child, the engine, is told to end before.
    const child = launch({ name, command, args, env: { PATH: env.PATH }, logFile, stopSignal: 'SIGKILL' });
    children.push(child);
    return child;
  };
  const stop = async () => {
    const [engine] = children;
    const inside = engine === undefined ? undefined : childrenOf(engine.pid)[0];
    if (inside !== undefined && engine?.exit() === undefined) {
      process.kill(inside, 'SIGTERM');
      await Promise.race([engine!.exited, delay(stopTimeoutMs, undefined, { ref: false })]);
    }
    await Promise.all(children.map((child) => child.end(0)));
    removeGroups();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const namespaces = ['--net', '--mount', '--pid', '--fork', '--kill-child=SIGKILL', '--mount-proc', '--propagation', 'private'];
    const script = join(import.meta.dirname, 'start-inside.sh');
    const engine = begin('engine', 'unshare', ...namespaces, script, folder, dataDir, group);
    const inside = await untilForked(engine);
    begin('slirp4netns', 'slirp4netns', '--configure', '--mtu=65520', '--disable-host-loopback', String(inside), 'tap0');
    const answers = async () => {
      const failure = await run('docker', ['info', '--format', '{{.ServerVersion}}'], { timeoutMs: answerTimeoutMs, env });
      const networked = readFileSync(`/proc/${inside}/net/dev`, 'utf8').includes('tap0:');
      return failure === undefined && networked ? { ok: true, detail: '' } : { ok: false, detail: failure ?? 'it has no way out' };
    };
    const ready = await waitFor(answers, { timeoutMs: readyTimeoutMs, givesUp: () => whyEnded(children) });
    if (!ready.ok) throw new StackError(`the engine did not come up: ${ready.detail}`, `read ${logFile}`);
    return { env, within: ['nsenter', `--net=/proc/${inside}/ns/net`], stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** unshare first makes the namespaces, and then the process that lives in them. */
async function untilForked(engine: Child): Promise<number> {
  const forked = async () => ({ ok: childrenOf(engine.pid).length > 0, detail: 'no namespaces could be made' }) as ProbeResult;
  const result = await waitFor(forked, { timeoutMs: readyTimeoutMs, givesUp: () => whyEnded([engine]) });
  const inside = childrenOf(engine.pid)[0];
  if (inside === undefined) throw new StackError(`the engine did not come up: ${result.detail}`, 'run as root of the machine itself');
  return inside;
}

const whyEnded = (children: readonly Child[]) => {
  const ended = children.find((child) => child.exit() !== undefined);
  return ended === undefined ? undefined : `${ended.name} ended`;
};
