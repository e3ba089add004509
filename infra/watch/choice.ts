/** The parts that `npm start -- --watch` can follow. The command line reads this before anything is built. */
import { portsOf, serviceNames } from '../stack/stack.ports.ts';

export const watchable = [...serviceNames, 'gateway', 'web'] as const;
/** true means all. */
export type WatchChoice = true | readonly (typeof watchable)[number][];

/** Pages that Vite serves have an origin of their own, from which the shop must take writes. */
export function pagesOrigin(base: number, choice: WatchChoice | undefined): string | undefined {
  const wanted = choice === true || choice?.includes('web') === true;
  return wanted ? `http://localhost:${portsOf(base).pages}` : undefined;
}
