/** A start begins only where every port of its shop is free. Else it says which are not, whose they are where that is known, and the way on. */
import { dirname } from 'node:path';
import { StackError } from '../stack/outcome.ts';
import { portSpan } from '../stack/stack.ports.ts';
import type { StackSpec } from '../stack/stack.ts';
import { portTaken } from './probe.ts';
import { isAlive, readStates, type StackState } from './state.ts';

/** A shop beside another one meets it at a dozen ports. A person needs no more than these to see that. */
const namedCountMax = 3;

/** @throws StackError */
export async function checkPortsAreFree(spec: StackSpec): Promise<void> {
  const needed = spec.processes.filter(({ beside }) => beside !== true);
  const wanted = needed.flatMap(({ name, ports }) => ports.map((port) => ({ port, name })));
  const isTaken = await Promise.all(wanted.map(({ port }) => portTaken(port)));
  const taken = wanted.filter((_, index) => isTaken[index]);
  if (taken.length === 0) return;
  const named = taken
    .slice(0, namedCountMax)
    .map(({ port, name }) => `${port} (${name})`)
    .join(', ');
  const more = taken.length > namedCountMax ? ` and ${taken.length - namedCountMax} more` : '';
  const neighbour = readStates(dirname(spec.dataDir)).find((state) => isAlive(state.supervisor) && overlap(state, spec));
  const whose = neighbour === undefined ? '' : `: a shop runs on port ${neighbour.base} (${neighbour.provider}, ${neighbour.profile})`;
  const profile = spec.profile === 'usual' ? '' : `--profile ${spec.profile} `;
  const stop = neighbour === undefined ? `stop what uses ${taken.length === 1 ? 'it' : 'them'}` : 'stop that shop with Ctrl-C';
  throw new StackError(
    `${taken.length === 1 ? `port ${named} is` : `ports ${named}${more} are`} in use${whose}`,
    `${stop}, or choose others: npm start -- ${profile}--port-base ${spec.base + 1000}`,
  );
}

type Place = Pick<StackState, 'base' | 'profile'>;

const endOf = ({ base, profile }: Place): number => base + (profile === 'regions' ? 2 : 1) * portSpan;
const overlap = (one: Place, other: Place): boolean => one.base < endOf(other) && other.base < endOf(one);
