/** The commands of the ocean as buttons: the words of each, and whether the ocean says that it is in force. Pure. */
import type { OceanCommand, OceanStatus } from '@cloakroom/contracts';

export interface OceanAction {
  readonly name: string;
  readonly does: string;
  readonly command: OceanCommand;
  readonly inForce: (status: OceanStatus) => boolean;
}

type WayStatus = OceanStatus['ways'][number];
type Way = WayStatus['way'];

export const bothWays: readonly Way[] = ['eu-us', 'us-eu'];

export function shoresOf(way: Way): readonly [from: string, to: string] {
  const [from = '', to = ''] = way.split('-');
  return [from, to];
}

const is =
  (way: Way, holds: (one: WayStatus) => boolean) =>
  ({ ways }: OceanStatus): boolean =>
    ways.some((one) => one.way === way && holds(one));
const all =
  (holds: (one: WayStatus) => boolean) =>
  ({ ways }: OceanStatus): boolean =>
    ways.every(holds);

const isCut = ({ state }: WayStatus): boolean => state === 'cut';
const isHeld = ({ state }: WayStatus): boolean => state === 'held';
const refusesDials = ({ dials }: WayStatus): boolean => dials === 'refused';

export function actionsOfWay(way: Way): readonly OceanAction[] {
  const [from, to] = shoresOf(way);
  return [
    {
      name: `Cut ${from} to ${to}`,
      does: `No byte goes from ${from} to ${to} on any connection. Requests of ${from} are lost, and so are the answers that ${to} waits for. Nobody is told.`,
      command: { do: 'cut', way },
      inForce: is(way, isCut),
    },
    {
      name: `Hold ${from} to ${to}`,
      does: 'Bytes, ends of connections and new connections wait, and arrive after the heal.',
      command: { do: 'hold', way },
      inForce: is(way, isHeld),
    },
    {
      name: `Refuse dials of ${from}`,
      does: `${from} opens no connection to ${to}: those that it has opened end, and new ones are refused. Those that ${to} has opened go on.`,
      command: { do: 'refuse-dials', way },
      inForce: is(way, refusesDials),
    },
  ];
}

export const actionsOfBoth: readonly OceanAction[] = [
  {
    name: 'Cut both ways',
    does: 'Every connection across the ocean ends, and each new one ends at once.',
    command: { do: 'cut' },
    inForce: all(isCut),
  },
  {
    name: 'Hold both ways',
    does: 'Nothing arrives on either shore until the heal, and nothing is lost.',
    command: { do: 'hold' },
    inForce: all(isHeld),
  },
  {
    name: 'Heal',
    does: 'Both ways are open, and both regions may dial. A connection that lost bytes is reset. The round trip stays.',
    command: { do: 'heal' },
    inForce: all((one) => !isCut(one) && !isHeld(one) && !refusesDials(one)),
  },
];
