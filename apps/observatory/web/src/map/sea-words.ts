import type { OceanStatus } from '@cloakroom/contracts';

type WayStatus = OceanStatus['ways'][number];

const stateWords = { open: 'bytes arrive', held: 'bytes wait', cut: 'bytes are lost' } as const;

/** The lag is asked once a second. An older answer says its age. */
const staleMs = 3_000;

/** Says one way of the ocean in a sentence: "eu to us: bytes arrive. us has all of eu." */
export function wordsOfWay({ way, state, dials, mirror }: WayStatus): string {
  const [from = '', to = ''] = way.split('-');
  const dialling = dials === 'refused' ? `, and ${from} may not dial` : '';
  return `${from} to ${to}: ${stateWords[state]}${dialling}. ${lagWords(from, to, mirror)}`;
}

function lagWords(from: string, to: string, mirror: WayStatus['mirror']): string {
  if (mirror === undefined) return `The copy in ${to} has not been read yet.`;
  const age = mirror.askedAgoMs > staleMs ? ` (asked ${seconds(mirror.askedAgoMs)} ago)` : '';
  if (mirror.records === 0) return `${to} has all of ${from}${age}.`;
  return `${to} is behind ${from} by ${mirror.records}, for ${seconds(mirror.ms)}${age}.`;
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
