import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { recordHeaders } from '@cloakroom/contracts';
import { expect, it } from 'vitest';
import { LagHistory, readNote } from './mirror-lag.ts';

const at = (offsets: Readonly<Record<string, number>>) =>
  new Map(Object.entries(offsets).map(([place, offset]) => [place, BigInt(offset)]));
const none = at({});

it('reads how far a partition was copied from the note that MirrorMaker keeps', () => {
  const key = '["MirrorSourceConnector",{"cluster":"eu","partition":7,"topic":"cart.events"}]';
  expect(readNote({ key, value: Buffer.from('{"offset":41}') })).toEqual({ place: 'cart.events/7', copiedTo: 42n });
});

it('passes over notes of other connectors, and tombstones', () => {
  const heartbeat = '["MirrorHeartbeatConnector",{"sourceClusterAlias":"eu","targetClusterAlias":"us"}]';
  expect(readNote({ key: heartbeat, value: Buffer.from('{"offset":0}') })).toBeUndefined();
  expect(readNote({ key: 'session-key', value: Buffer.from('{"offset":0}') })).toBeUndefined();
  expect(readNote({ key: '["MirrorSourceConnector",{"partition":7,"topic":"cart.events"}]', value: null })).toBeUndefined();
});

it('counts the records that the copy lacks, and those of a partition never copied', () => {
  const history = new LagHistory();
  expect(history.measure(0, at({ a: 10, b: 5 }), none, at({ a: 8 }))).toEqual({ records: 7, ms: 0 });
});

it('counts no record that was deleted before it could be copied', () => {
  expect(new LagHistory().measure(0, at({ a: 10 }), at({ a: 9 }), at({ a: 3 }))).toEqual({ records: 1, ms: 0 });
});

it('says for how long the copy has lacked something, while the log goes on', () => {
  const history = new LagHistory();
  expect(history.measure(1_000, at({ a: 5 }), none, at({ a: 5 }))).toEqual({ records: 0, ms: 0 });
  expect(history.measure(2_000, at({ a: 8 }), none, at({ a: 5 }))).toEqual({ records: 3, ms: 0 });
  expect(history.measure(3_000, at({ a: 9 }), none, at({ a: 5 }))).toEqual({ records: 4, ms: 1_000 });
  // The copy has reached the end of the second look, not that of the third.
  expect(history.measure(4_000, at({ a: 9 }), none, at({ a: 8 }))).toEqual({ records: 1, ms: 1_000 });
  expect(history.measure(5_000, at({ a: 9 }), none, at({ a: 9 }))).toEqual({ records: 0, ms: 0 });
});

it('still tells the whole age after more looks than it keeps', () => {
  const history = new LagHistory();
  for (let second = 0; second < 2_000; second++) history.measure(second * 1_000, at({ a: second + 1 }), none, none);
  expect(history.measure(2_000_000, at({ a: 3_000 }), none, none)).toEqual({ records: 3_000, ms: 2_000_000 });
});

it('MirrorMaker’s transform writes the headers that the contracts name', () => {
  const source = readFileSync(join(import.meta.dirname, '../kafka/mirror/OriginHeaders.java'), 'utf8');
  const named = [...source.matchAll(/static final String \w+ = "([^"]+)"/g)].map(([, name]) => name);
  expect(named).toEqual([recordHeaders.logPartition, recordHeaders.logOffset]);
});
