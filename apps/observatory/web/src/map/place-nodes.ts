/** Which column each process stands in, and which places of the map the edges join. Pure. */
import type { EdgeView, ProcessView, StackView } from '../../../src/api.ts';

export type Column = 'edge' | 'services' | 'stores';

export interface Placed {
  readonly column: Column;
  readonly processes: readonly ProcessView[];
}

const titles: Readonly<Record<Column, string>> = { edge: 'Gateways', services: 'Services', stores: 'Stores and logs' };
export const titleOf = (column: Column, embedded: boolean): string =>
  embedded && column === 'services' ? 'One process, all services' : titles[column];

/** @param region only its processes, where there are two regions */
export function placeNodes({ processes }: StackView, region?: string): readonly Placed[] {
  const by = Map.groupBy(
    processes.filter((process) => process.kind !== 'observatory' && (region === undefined || process.region === region)),
    columnOf,
  );
  return (['edge', 'services', 'stores'] as const).flatMap((column) => {
    const own = by.get(column);
    return own ? [{ column, processes: own }] : [];
  });
}

/** [] where there is one region. */
export const regionsOf = ({ processes }: StackView): readonly string[] => [...new Set(processes.flatMap(({ region }) => region ?? []))];

function columnOf({ kind, name }: ProcessView): Column {
  if (kind === 'redis' || kind === 'kafka' || kind === 'postgres' || kind === 'mirror') return 'stores';
  return name.startsWith('gateway') ? 'edge' : 'services';
}

/** An edge may end at a process or at an app within one. One whose ends are not on the map stands in the table alone. */
export function edgesOnMap({ processes }: StackView, edges: readonly EdgeView[]): readonly EdgeView[] {
  // Where a process holds several apps, each of these is a place, and the process is none.
  const places = new Set(['browser', ...processes.flatMap(({ name, apps }) => (apps.length > 1 ? apps : [name]))]);
  return edges.filter(({ from, to }) => from !== to && places.has(from) && places.has(to));
}

/** Those that wait, or answer with less, when this process does not answer. */
export const leaning = ({ processes }: StackView, name: string): readonly string[] =>
  processes.filter(({ needs, kind }) => needs.includes(name) && kind !== 'observatory').map((process) => process.name);
