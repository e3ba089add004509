/** The buttons and the words of the ocean. apps/observatory/src/stack/ocean.test.ts sends these commands to a real one. */
import type { OceanStatus } from '@cloakroom/contracts';
import { expect, it } from 'vitest';
import { actionsOfBoth, actionsOfWay, bothWays } from './ocean-actions.ts';
import { lagOfWay, shortWordsOfWay, stateOfWay, wordsOfOcean } from './sea-words.ts';

type WayStatus = OceanStatus['ways'][number];

const open: WayStatus = { way: 'eu-us', state: 'open', dials: 'open', bytes: 1, connections: 1 };
const back: WayStatus = { ...open, way: 'us-eu' };
const ocean = (...ways: readonly WayStatus[]): OceanStatus => ({ rttMs: 80, rttMaxMs: 30_000, ways });
const buttons = [...bothWays.flatMap(actionsOfWay), ...actionsOfBoth];
const inForce = (status: OceanStatus): string[] => buttons.filter((one) => one.inForce(status)).map(({ name }) => name);

it('has a button for each command of the ocean, each with words of its own', () => {
  expect(buttons.map(({ command }) => command)).toEqual([
    { do: 'cut', way: 'eu-us' },
    { do: 'hold', way: 'eu-us' },
    { do: 'refuse-dials', way: 'eu-us' },
    { do: 'cut', way: 'us-eu' },
    { do: 'hold', way: 'us-eu' },
    { do: 'refuse-dials', way: 'us-eu' },
    { do: 'cut' },
    { do: 'hold' },
    { do: 'heal' },
  ]);
  expect(new Set(buttons.map(({ name }) => name)).size).toBe(buttons.length);
  expect(buttons.filter(({ does }) => does.length < 40)).toEqual([]);
});

it('marks what the ocean says is in force, and nothing else', () => {
  expect(inForce(ocean(open, back))).toEqual(['Heal']);
  expect(inForce(ocean({ ...open, state: 'cut' }, back))).toEqual(['Cut eu to us']);
  expect(inForce(ocean({ ...open, state: 'held' }, { ...back, dials: 'refused' }))).toEqual(['Hold eu to us', 'Refuse dials of us']);
  expect(inForce(ocean({ ...open, state: 'cut' }, { ...back, state: 'cut' }))).toEqual(['Cut eu to us', 'Cut us to eu', 'Cut both ways']);
});

it('says of each way whether bytes arrive, and what the copy lacks', () => {
  expect([stateOfWay(open), lagOfWay(open)]).toEqual(['bytes arrive', 'The copy in us has not been read yet.']);
  expect(lagOfWay({ ...open, mirror: { records: 0, ms: 0, askedAgoMs: 10 } })).toBe('us has all of eu.');
  expect(lagOfWay({ ...back, mirror: { records: 3, ms: 12_300, askedAgoMs: 4_000 } })).toBe(
    'eu is behind us by 3, for 12.3 s (asked 4.0 s ago).',
  );
  expect(stateOfWay({ ...open, state: 'held', dials: 'refused' })).toBe('bytes wait, and eu may not dial');
  expect(shortWordsOfWay({ ...back, state: 'cut', mirror: { records: 3, ms: 1, askedAgoMs: 1 } })).toBe('us to eu, cut: behind by 3');
  expect(wordsOfOcean(ocean({ ...open, state: 'cut' }, back))).toBe(
    'eu to us: bytes are lost. us to eu: bytes arrive. The round trip is 80 ms.',
  );
});
