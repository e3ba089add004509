/**
 * System packages. They are installed only by root on a Debian-like machine, and never through sudo.
 * Otherwise the person is told the one command to type.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A mirror that does not answer must not block the start for ever. A browser of 100 MB over a slow line must have enough time. */
const installTimeoutMs = 300_000;

export type Say = (line: string) => void;
export type Found<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: string; readonly remedy: string };

export function findOnPath(name: string): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // The program is not in this folder.
    }
  }
  return undefined;
}

/** The command to type, for the package tool that this machine has. */
export function installCommand(packages: { readonly apt: string; readonly brew: string }): string {
  if (process.platform === 'darwin') return `brew install ${packages.brew}`;
  if (findOnPath('apt-get') === undefined) return `install ${packages.apt} with your package tool`;
  return `${isRoot() ? '' : 'sudo '}apt-get install -y --no-install-recommends ${packages.apt}`;
}

export function mayInstall(): boolean {
  return isRoot() && findOnPath('apt-get') !== undefined && process.env['CLOAKROOM_NO_INSTALL'] !== '1';
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** @returns undefined when installed, else one line saying what went wrong */
export async function aptInstall(packages: readonly string[], say: Say): Promise<string | undefined> {
  say(`installing ${packages.join(' ')} with apt-get`);
  const undo = keepServicesDown();
  try {
    const install = ['install', '-y', '-q', '--no-install-recommends', ...packages];
    const first = await apt(install, say);
    if (first === undefined) return undefined;
    // The most common cause: the package lists are missing or old.
    const update = await apt(['update', '-q'], say);
    return update ?? (await apt(install, say));
  } finally {
    undo();
  }
}

/** Debian starts a service that it installs, unless this policy forbids it. Our Redis are our own processes, on our own ports. */
function keepServicesDown(): () => void {
  const policy = '/usr/sbin/policy-rc.d';
  if (existsSync(policy)) return () => undefined;
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  return () => rmSync(policy, { force: true });
}

function apt(args: readonly string[], say: Say): Promise<string | undefined> {
  return run('apt-get', ['-o', 'DPkg::Lock::Timeout=60', '-o', 'Acquire::http::Timeout=15', '-o', 'Acquire::Retries=1', ...args], {
    timeoutMs: installTimeoutMs,
    onLine: (line) => /^(Get:|Unpacking|Setting up)/.test(line) && say(line.slice(0, 100)),
    env: { DEBIAN_FRONTEND: 'noninteractive' },
  });
}

interface RunOptions {
  readonly timeoutMs: number;
  /** Ends the tool when it printed nothing for so long. */
  readonly silenceMs?: number;
  readonly onLine?: (line: string) => void;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a tool to its end. @returns undefined when it went well, else one line saying why not */
export function run(command: string, args: readonly string[], options: RunOptions): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, env: { ...process.env, ...options.env } });
    let last = '';
    let failure: string | undefined;
    const giveUp = (why: string) => {
      failure = why;
      try {
        process.kill(-(child.pid ?? 0), 'SIGKILL');
      } catch {
        // The process has ended already.
      }
    };
    const whole = setTimeout(() => giveUp(`${command} took longer than ${options.timeoutMs / 1000} s`), options.timeoutMs);
    const silence =
      options.silenceMs === undefined
        ? undefined
        : setTimeout(() => giveUp(`${command} made no progress for ${(options.silenceMs ?? 0) / 1000} s`), options.silenceMs);
    const read = (chunk: Buffer) => {
      silence?.refresh();
      for (const line of chunk.toString().split(/\r?\n/)) {
        if (line.trim() === '') continue;
        if (/^(E:|\[ERROR\])/.test(line) && !/^(E:|\[ERROR\])/.test(last)) last = line;
        else if (!/^(E:|\[ERROR\])/.test(last)) last = line;
        options.onLine?.(line);
      }
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    const stop = () => giveUp('stopped');
    process.once('exit', stop);
    const finish = (result: string | undefined) => {
      clearTimeout(whole);
      clearTimeout(silence);
      process.removeListener('exit', stop);
      resolve(result);
    };
    child.once('error', (error) => finish(`${command}: ${error.message}`));
    child.once('close', (code) =>
      finish(failure ?? (code === 0 ? undefined : `${command}: ${shortened(last.replace(/ -> \[Help.*/, '')) || `exit code ${code}`}`)),
    );
  });
}

/** Maven begins a line with what it wanted, and ends it with the cause. Both are kept. */
const [beginLengthMax, endLengthMax] = [80, 200];
export const shortened = (line: string): string =>
  line.length <= beginLengthMax + endLengthMax ? line : `${line.slice(0, beginLengthMax)} … ${line.slice(-endLengthMax)}`;
