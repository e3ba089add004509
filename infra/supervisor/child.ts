/**
 * One started operating system process.
 * Each child leads its own process group, so Ctrl-C in the terminal reaches the supervisor alone, which then ends the children in order. The kernel's
 * start time tells a child apart from a later process with the same id.
 */
import { appendFileSync, closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { execFileSync, spawn } from 'node:child_process';

export interface LaunchSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Added to PATH, HOME and the like. The child sees nothing else of the launcher's environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly cwd?: string | undefined;
  readonly logFile: string;
  /** Opens Node's channel between parent and child. For a child that is a Node process. */
  readonly channel?: boolean | undefined;
  /** The signal that asks the child to end; SIGTERM by default. */
  readonly stopSignal?: NodeJS.Signals | undefined;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Set when the command could not be started at all. */
  readonly error?: string;
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  /** See `startTimeOf`. */
  readonly startTime: string | undefined;
  readonly exited: Promise<Exit>;
  exit(): Exit | undefined;
  /** Signals the process itself. @returns false when it is gone */
  kill(signal: NodeJS.Signals): boolean;
  /** @param sent is called once the message has left this process, or cannot leave it any more */
  send(message: object, sent: () => void): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Sends its stop signal. After `graceMs` SIGKILL ends the rest of its process group. Resolves when it is gone. */
  end(graceMs: number): Promise<Exit>;
}

/** Ambient variables that a child may see: they name folders and settings of the machine. */
const inherited = [
  'PATH',
  'HOME',
  'USER',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
  'JAVA_HOME',
  'SystemRoot',
  'NODE_EXTRA_CA_CERTS',
  'MAVEN_OPTS',
  'FORCE_COLOR',
];

function childEnvironment(own: Readonly<Record<string, string>> | undefined): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const key of inherited) {
    const value = process.env[key];
    if (value !== undefined) env[key] = value;
  }
  return { ...env, ...own };
}

/** On Linux the kernel itself ends a child whose launcher was killed with -9, because no other process is left to do it. */
const deathSignal = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => process.platform === 'linux' && existsSync(path));

export function launch(spec: LaunchSpec): Child {
  mkdirSync(dirname(spec.logFile), { recursive: true });
  const log = openSync(spec.logFile, 'a');
  const wrapped = deathSignal !== undefined;
  const command = wrapped ? deathSignal : spec.command;
  const args = wrapped ? ['--pdeathsig', (spec.stopSignal ?? 'SIGTERM').slice('SIG'.length), spec.command, ...spec.args] : [...spec.args];
  const child = spawn(command, args, {
    detached: true,
    stdio: spec.channel === true ? ['ignore', log, log, 'ipc'] : ['ignore', log, log],
    env: childEnvironment(spec.env),
    ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
  });
  closeSync(log);
  let exit: Exit | undefined;
  const exited = new Promise<Exit>((resolve) => {
    child.once('error', (error) => resolve((exit = { code: null, signal: null, error: error.message })));
    child.once('exit', (code, signal) => resolve((exit = { code, signal })));
  });
  const pid = child.pid ?? -1;
  const kill = (signal: NodeJS.Signals) => exit === undefined && child.kill(signal);
  return {
    name: spec.name,
    pid,
    startTime: pid > 0 ? startTimeOf(pid) : undefined,
    exited,
    exit: () => exit,
    kill,
    send: (message, sent) => (child.connected ? void child.send(message, () => sent()) : sent()),
    onMessage: (listener) => void child.on('message', listener),
    async end(graceMs) {
      kill(spec.stopSignal ?? 'SIGTERM');
      // A stopped process cannot act on a signal.
      kill('SIGCONT');
      const timer = setTimeout(() => killGroup(pid, 'SIGKILL'), graceMs);
      const result = await exited;
      clearTimeout(timer);
      // Ends the processes that the child itself started.
      killGroup(pid, 'SIGKILL');
      return result;
    },
  };
}

export function killGroup(pid: number, signal: NodeJS.Signals): void {
  if (pid <= 1) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The process is gone already.
  }
}

/** The kernel's start time of a process, in a form that only serves for comparison; undefined when there is no such process. */
export function startTimeOf(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // The name, field 2, may hold spaces and parentheses; the start time is field 22.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' ? undefined : fields[19];
    }
    return (
      execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim() ||
      undefined
    );
  } catch {
    return undefined;
  }
}

export interface Memory {
  readonly kind: 'PSS' | 'RSS';
  readonly bytes: number;
}

/** Proportional set size: shared pages are divided among the processes that share them. Resident size where the kernel does not report it. */
export function memoryOf(pid: number): Memory | undefined {
  try {
    const pss = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
    if (pss !== undefined) return { kind: 'PSS', bytes: Number(pss) * 1024 };
  } catch {
    // The machine has no Linux, or the process belongs to another user.
  }
  try {
    const rss = execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    return rss === '' ? undefined : { kind: 'RSS', bytes: Number(rss) * 1024 };
  } catch {
    return undefined;
  }
}

/** Memory including all child processes: PostgreSQL runs one process per connection. */
export function memoryOfTree(pid: number): Memory | undefined {
  const own = memoryOf(pid);
  if (own === undefined) return undefined;
  const below = childrenOf(pid).map((child) => memoryOfTree(child)?.bytes ?? 0);
  return { ...own, bytes: below.reduce((sum, bytes) => sum + bytes, own.bytes) };
}

/** Signals a process and all that it started: PostgreSQL's connections are processes, and lead groups of their own. */
export function signalTree(pid: number, signal: NodeJS.Signals): void {
  const below = childrenOf(pid);
  try {
    process.kill(pid, signal);
  } catch {
    // The process is gone already.
  }
  for (const child of below) signalTree(child, signal);
}

/** Works on Linux. Elsewhere the list is empty. */
export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    // The machine has no Linux, or the process is gone: its own memory alone is reported.
    return [];
  }
}

export function lastLines(file: string, count: number): string[] {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count);
  } catch {
    return [];
  }
}

export function noteInLog(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  appendFileSync(file, `${text}\n`);
}
