/** The commands that are programs of their own. Each runs to its end with our Node first on PATH. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { repository } from '../stack/folders.ts';
import { StackError } from '../stack/outcome.ts';

export type ToolName =
  'check' | 'e2e' | 'bench' | 'mutants' | 'prove' | 'attacks' | 'fuzz' | 'lab' | 'drill' | 'chaos' | 'call' | 'load' | 'ocean';

const scripts = {
  check: 'infra/checks/check.ts',
  call: 'infra/call/call.ts',
  bench: 'labs/bench/bench.ts',
  mutants: 'labs/faults/mutants.ts',
  prove: 'labs/prove/prove.ts',
  attacks: 'labs/attacks/attacks.ts',
  fuzz: 'labs/attacks/fuzz.ts',
  lab: 'labs/course/command.ts',
  drill: 'labs/drills/drill.ts',
  chaos: 'labs/chaos/chaos.ts',
  load: 'labs/load/load.ts',
  ocean: 'infra/cli/ocean.ts',
} as const;

/** @returns the exit code */
export async function runTool(name: ToolName, args: readonly string[], options: CommandOptions = {}): Promise<number> {
  if (name === 'e2e')
    return runCommand(join(repository, 'node_modules', '.bin', 'playwright'), ['test', ...args], {
      ...options,
      cwd: join(repository, 'e2e'),
    });
  const script = scripts[name];
  if (!existsSync(join(repository, script))) throw new StackError(`npm run ${name} is not built yet`, `see README.md for what there is`);
  return runCommand(process.execPath, [join(repository, script), ...args], options);
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Gets standard output and standard error instead of the terminal. */
  readonly onOutput?: ((text: string) => void) | undefined;
}

/** Runs in our own process group: Ctrl-C reaches the command and the launcher, and the launcher outlives it. @returns the exit code */
export function runCommand(command: string, args: readonly string[], { cwd = repository, env, onOutput }: CommandOptions): Promise<number> {
  const path = [dirname(process.execPath), join(repository, 'node_modules', '.bin'), env?.['PATH'] ?? process.env['PATH']].join(delimiter);
  return new Promise((resolve, reject) => {
    const output = onOutput === undefined ? 'inherit' : 'pipe';
    const child = spawn(command, args, {
      cwd,
      stdio: ['inherit', output, output],
      env: { ...process.env, ...env, PATH: path, NX_DAEMON: 'false', NX_ISOLATE_PLUGINS: 'false' },
    });
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => onOutput?.(text));
    const pass = (signal: NodeJS.Signals) => child.kill(signal);
    const ignore = () => undefined;
    process.on('SIGTERM', pass).on('SIGHUP', pass).on('SIGINT', ignore);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      process.off('SIGTERM', pass).off('SIGHUP', pass).off('SIGINT', ignore);
      resolve(code ?? (signal === 'SIGINT' ? 130 : 1));
    });
  });
}
