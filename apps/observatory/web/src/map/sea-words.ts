import type { OceanStatus } from '@cloakroom/contracts';
import { ms } from '../words/numbers.ts';
import { shoresOf } from './ocean-actions.ts';

type WayStatus = OceanStatus['ways'][number];

const stateWords = { open: 'bytes arrive', held: 'bytes wait', cut: 'bytes are lost' } as const;

/** The lag is asked once a second. An older answer says its age. */
const staleMs = 3_000;

/** Says the state of one way: "bytes arrive, and eu may not dial". */
export function stateOfWay({ way, state, dials }: WayStatus): string {
  const [from] = shoresOf(way);
  return `${stateWords[state]}${dials === 'refused' ? `, and ${from} may not dial` : ''}`;
}

/** Says what the copy of one way lacks: "us is behind eu by 3, for 12.3 s". */
export function lagOfWay({ way, mirror }: WayStatus): string {
  const [from, to] = shoresOf(way);
  if (mirror === undefined) return `The copy in ${to} has not been read yet.`;
  const age = mirror.askedAgoMs > staleMs ? ` (asked ${seconds(mirror.askedAgoMs)} ago)` : '';
  if (mirror.records === 0) return `${to} has all of ${from}${age}.`;
  return `${to} is behind ${from} by ${mirror.records}, for ${seconds(mirror.ms)}${age}.`;
}

/** For the line of one way on the map: "eu to us, cut: behind by 3". */
export function shortWordsOfWay({ way, state, mirror }: WayStatus): string {
  const copy = mirror === undefined ? 'not read yet' : mirror.records === 0 ? 'all copied' : `behind by ${mirror.records}`;
  return `${shoresOf(way).join(' to ')}${state === 'open' ? '' : `, ${state}`}: ${copy}`;
}

/** What the ocean told, in one line: "eu to us: bytes are lost. us to eu: bytes arrive. The round trip is 80 ms." */
export function wordsOfOcean({ ways, rttMs }: OceanStatus): string {
  const each = ways.map((one) => `${shoresOf(one.way).join(' to ')}: ${stateOfWay(one)}.`);
  return [...each, `The round trip is ${ms(rttMs)}.`].join(' ');
}

const seconds = (value: number): string => `${(value / 1_000).toFixed(1)} s`;
