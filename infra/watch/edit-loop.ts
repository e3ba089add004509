/** Services follow their sources, and the pages are served out of theirs: `npm start -- --watch`. */
import { describeFailure } from '../stack/outcome.ts';
import { portsOf } from '../stack/stack.ports.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';
import { watchable } from './choice.ts';
import type { WatchChoice } from './choice.ts';
import { servePages } from './pages.ts';
import type { Pages } from './pages.ts';
import { SourceWatch } from './watch.ts';

export interface EditLoop {
  /** Once the shop is ready. @returns lines for the summary */
  begin(): Promise<string[]>;
  stop(): Promise<void>;
}

/** Made before the shop starts: it remembers the code that the processes are about to load. */
export function openEditLoop(supervisor: Supervisor, choice: WatchChoice, print: (line: string) => void): EditLoop {
  const chosen = choice === true ? watchable : choice;
  const apps = chosen.filter((name) => name !== 'web');
  const watching = apps.length === 0 ? undefined : new SourceWatch(supervisor, apps, print);
  let pages: Pages | undefined;
  let running: Promise<void> | undefined;
  return {
    async begin() {
      if (chosen.includes('web')) pages = await servePages(supervisor, portsOf(supervisor.spec.base).pages);
      running = watching?.run().catch((error: unknown) => print(`watch   ended: ${describeFailure(error)}`));
      return [
        ...(pages === undefined ? [] : [`  pages   ${pages.url} (out of apps/web/src; a saved change shows at once)`]),
        ...(watching === undefined ? [] : [`  watch   ${apps.join(', ')}: save a file, and what it touches is built and restarted`]),
      ];
    },
    async stop() {
      watching?.stop();
      await Promise.all([running, pages?.stop()]);
    },
  };
}
