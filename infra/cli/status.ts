/** `npm run status`: asks every process of every run on this machine now, and remembers no earlier answer. */
import { askReadiness, type ReadinessLook } from '@cloakroom/platform';
import { memoryOf, memoryOfTree } from '../supervisor/child.ts';
import { dataRoot } from '../stack/folders.ts';
import { isAlive, pageAddress, readStates } from '../supervisor/state.ts';
import type { ProcessEntry, StackState } from '../supervisor/state.ts';
import type { Health } from '../stack/stack.ts';
import { nameOfRun } from './name-of-run.ts';
import { probeOf } from '../supervisor/supervisor.ts';

export async function printStatus(print: (line: string) => void): Promise<number> {
  const states = readStates(dataRoot);
  const running = states.filter((state) => isAlive(state.supervisor));
  if (running.length === 0) {
    const left = states.flatMap((state) => state.processes.filter(isAlive));
    print(
      left.length === 0
        ? 'Nothing is running. npm start starts it.'
        : `A run was killed and left ${left.map(({ name }) => name).join(', ')}; npm start ends them.`,
    );
    return 1;
  }
  for (const state of running) for (const line of await describeRun(state)) print(line);
  return 0;
}

async function describeRun(state: StackState): Promise<string[]> {
  const launcher = memoryOf(state.supervisor.pid);
  const rows = await Promise.all(state.processes.map(describeProcess));
  const kind = launcher?.kind ?? 'PSS';
  const total = rows.reduce((sum, row) => sum + row.bytes, 0);
  const table = [
    ['process', 'state', 'pid', kind, 'restarts', 'url'],
    ...rows.map(({ cells }) => cells),
    ['(launcher)', 'running', String(state.supervisor.pid), megabytes(launcher?.bytes), '', ''],
    ['total', '', '', megabytes(total + (launcher?.bytes ?? 0)), '', ''],
  ];
  const stuck = rows.flatMap(({ cells: [name = ''], words }) => words.map((word) => `  ${name}: ${word}`));
  const what = nameOfRun(state);
  const page = state.observatory === undefined ? [] : [`  observatory: ${pageAddress(state.observatory)}`];
  return [`${what} on port ${state.base}, since ${state.startedAt}`, ...align(table), ...stuck, ...page];
}

async function describeProcess(entry: ProcessEntry): Promise<{ cells: string[]; bytes: number; words: readonly string[] }> {
  const alive = isAlive(entry);
  const asked = alive && entry.state === 'ready';
  const { state, words } = asked ? await lookAt(entry.health) : { state: entry.state, words: [] };
  const memory = alive && entry.pid !== undefined ? memoryOfTree(entry.pid) : undefined;
  return {
    cells: [entry.name, state, alive ? String(entry.pid) : '-', megabytes(memory?.bytes), String(entry.restarts), entry.url],
    bytes: memory?.bytes ?? 0,
    words,
  };
}

/** The state of a process. Our own processes say in words at /readyz which functions fail (libs/platform). */
export async function lookAt(health: Health): Promise<ReadinessLook> {
  if (health.kind !== 'http') return { state: (await probeOf(health)()).ok ? 'ready' : 'no answer', words: [] };
  return askReadiness(health.urls);
}

export function megabytes(bytes: number | undefined): string {
  return bytes === undefined ? '-' : `${Math.round(bytes / 1024 / 1024)} MB`;
}

export function align(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd());
}
