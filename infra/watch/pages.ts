/** Serves the pages out of their sources beside a shop that runs. Vite sends each saved change to the open pages. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { repository } from '../stack/folders.ts';
import { StackError } from '../stack/outcome.ts';
import { launch } from '../supervisor/child.ts';
import { httpProbe, portTaken, waitFor } from '../supervisor/probe.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';

const readyTimeoutMs = 30_000;
const stopGraceMs = 2_000;

export interface Pages {
  readonly url: string;
  stop(): Promise<void>;
}

/** @throws StackError when the port is in use, or when Vite does not start */
export async function servePages(supervisor: Supervisor, port: number): Promise<Pages> {
  if (await portTaken(port)) throw new StackError(`port ${port} (pages) is in use`, 'stop what uses it, or choose others with --port-base');
  const web = join(repository, 'apps', 'web');
  const vite = join(dirname(createRequire(join(web, 'package.json')).resolve('vite/package.json')), 'bin', 'vite.js');
  const file = supervisor.logFile('pages');
  const child = launch({
    name: 'pages',
    command: process.execPath,
    args: [vite, '--port', String(port), '--strictPort', '--clearScreen', 'false'],
    env: { SHOP_URL: supervisor.spec.gateways[0] },
    cwd: web,
    logFile: file,
  });
  const url = `http://localhost:${port}`;
  const gone = () => (child.exit() === undefined ? undefined : 'it ended');
  const ready = await waitFor(httpProbe(url), { timeoutMs: readyTimeoutMs, givesUp: gone });
  const stop = async (): Promise<void> => void (await child.end(stopGraceMs));
  if (ready.ok) return { url, stop };
  await stop();
  throw new StackError(`the pages are not served: ${ready.detail}`, `read ${file}`);
}
