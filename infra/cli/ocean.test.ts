import { expect, it } from 'vitest';
import { startTimeOf } from '../supervisor/child.ts';
import type { StackState } from '../supervisor/state.ts';
import { describe, findRegions, readCommand } from './ocean.ts';
import { asCommand } from '../ocean/control.ts';

it.each([
  [['cut'], {}, { do: 'cut' }],
  [['cut', 'eu-us'], {}, { do: 'cut', way: 'eu-us' }],
  [['cut', 'us-eu'], { dials: true }, { do: 'refuse-dials', way: 'us-eu' }],
  [['hold'], {}, { do: 'hold' }],
  [['rtt', '200'], {}, { do: 'rtt', rttMs: 200 }],
  [['rtt', '200ms'], {}, { do: 'rtt', rttMs: 200 }],
  [['heal'], {}, { do: 'heal' }],
  [['status'], {}, undefined],
] as const)('npm run ocean -- %j with %j is understood, and the ocean takes it', (words, flags, command) => {
  const read = readCommand(words, flags);
  expect(read).toEqual(command);
  if (command !== undefined) expect(asCommand(JSON.parse(JSON.stringify(read)))).toEqual(command);
});

it.each([
  [[], {}, /which command/],
  [['drain'], {}, /drain is no command of the ocean/],
  [['cut', 'eu'], {}, /eu: one of eu-us, us-eu/],
  [['hold', 'us'], { dials: true }, /--dials belongs to cut/],
  [['rtt'], {}, /how many milliseconds/],
  [['rtt', 'long'], {}, /a whole number from 0 to 30000/],
  [['rtt', '30001'], {}, /a whole number from 0 to 30000/],
  [['heal', 'eu-us'], {}, /unexpected argument 'eu-us'/],
] as const)('npm run ocean -- %j with %j is refused in words', (words, flags, says) => {
  expect(() => readCommand(words, flags)).toThrow(says);
});

it.each([
  undefined,
  'cut',
  {},
  { do: 'drain' },
  { do: 'cut', way: 'eu' },
  { do: 'rtt' },
  { do: 'rtt', rttMs: -1 },
  { do: 'rtt', rttMs: 30_001 },
])('the ocean does not take %j for a command', (body) => {
  expect(asCommand(body)).toBeUndefined();
});

const alive = { pid: process.pid, startTime: startTimeOf(process.pid) };
const state = (profile: StackState['profile'], base = 4000, supervisor: StackState['supervisor'] = alive): StackState => ({
  provider: 'native',
  profile,
  base,
  gateways: [],
  startedAt: '',
  supervisor,
  processes: [],
});

it('finds the shop with two regions beside one without, and says in words where there is none', () => {
  expect(findRegions([state('usual'), state('regions', 5000)], undefined).base).toBe(5000);
  expect(() => findRegions([], undefined)).toThrow('no shop runs here');
  expect(() => findRegions([state('regions', 4000, { pid: process.pid, startTime: 'another' })], undefined)).toThrow('no shop runs here');
  expect(() => findRegions([state('usual')], undefined)).toThrow('has one region, and no ocean');
  expect(() => findRegions([state('regions', 4000), state('regions', 5000)], undefined)).toThrow('4000, 5000');
  expect(findRegions([state('regions', 4000), state('regions', 5000)], 5000).base).toBe(5000);
});

it('says of each way its state, its bytes and what the copy lacks', () => {
  const way = { state: 'open', dials: 'open', connections: 7 } as const;
  const lines = describe({
    rttMs: 80,
    rttMaxMs: 30_000,
    ways: [
      { ...way, way: 'eu-us', bytes: 1_234, mirror: { records: 0, ms: 0, askedAgoMs: 200 } },
      { ...way, way: 'us-eu', state: 'cut', bytes: 5_600_000, mirror: { records: 3, ms: 12_300, askedAgoMs: 9_000 } },
    ],
  });
  expect(lines[0]).toContain('80 ms');
  expect(lines[2]).toMatch(/eu-us +open +open +7 +1\.2 kB +us has all of eu$/);
  expect(lines[3]).toMatch(/us-eu +cut +open +7 +5\.6 MB +eu is behind us by 3, for 12\.3 s \(asked 9\.0 s ago\)$/);
});
