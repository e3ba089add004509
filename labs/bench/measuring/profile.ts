/** A processor profile of a running process, by Node's inspector. It covers one block, without the start of the process. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { WebSocket } from 'undici';
import { dataRoot, repository } from '../../../infra/stack/folders.ts';
import { align } from '../../../infra/cli/status.ts';

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly hitCount: number;
}

/** Microseconds between samples: a finer interval costs more than it shows. */
const samplingIntervalUs = 500;
const shownCount = 40;

/** Runs `work` under the profiler, writes `<name>.cpuprofile` (for chrome://inspect) and prints where the time went. */
export async function profiled(port: number, name: string, work: () => Promise<unknown>): Promise<void> {
  const inspector = await connect(port);
  await inspector.ask('Profiler.enable');
  await inspector.ask('Profiler.setSamplingInterval', { interval: samplingIntervalUs });
  await inspector.ask('Profiler.start');
  await work();
  const { profile } = (await inspector.ask('Profiler.stop')) as { profile: { nodes: ProfileNode[] } };
  inspector.close();
  const dir = join(dataRoot, 'bench', 'profiles');
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, `${name}.cpuprofile`), JSON.stringify(profile));
  console.log(`\n${name} (${relative(repository, dir)}/${name}.cpuprofile)`);
  for (const line of align(topOf(profile.nodes))) console.log(line);
}

/** Self time by function, idle time left out. */
export function topOf(nodes: readonly ProfileNode[]): string[][] {
  const byPlace = new Map<string, number>();
  let total = 0;
  for (const { callFrame, hitCount } of nodes) {
    if (callFrame.functionName === '(idle)' || callFrame.functionName === '(root)') continue;
    total += hitCount;
    const place = `${callFrame.functionName || '(anonymous)'} ${shortOf(callFrame.url)}:${callFrame.lineNumber + 1}`;
    byPlace.set(place, (byPlace.get(place) ?? 0) + hitCount);
  }
  const rows = [...byPlace].toSorted(([, a], [, b]) => b - a).slice(0, shownCount);
  return rows.map(([place, hits]) => [`${((hits * 100) / total).toFixed(1)} %`, place]);
}

const shortOf = (url: string): string =>
  url
    .replace(/^file:\/\//, '')
    .replace(/^.*node_modules\//, '')
    .replace(`${repository}/`, '');

interface Inspector {
  ask(method: string, params?: object): Promise<unknown>;
  close(): void;
}

async function connect(port: number): Promise<Inspector> {
  const list = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as { webSocketDebuggerUrl: string }[];
  const socket = new WebSocket(list[0]!.webSocketDebuggerUrl);
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true });
    socket.addEventListener('error', reject, { once: true });
  });
  const waiting = new Map<number, (result: unknown) => void>();
  socket.addEventListener('message', ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { id?: number; result?: unknown };
    if (id === undefined) return;
    waiting.get(id)?.(result);
    waiting.delete(id);
  });
  let last = 0;
  return {
    ask: (method, params = {}) =>
      new Promise((resolve) => {
        waiting.set(++last, resolve);
        socket.send(JSON.stringify({ id: last, method, params }));
      }),
    close: () => socket.close(),
  };
}
