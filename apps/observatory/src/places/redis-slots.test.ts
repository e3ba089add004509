import { expect, it } from 'vitest';
import { readUntilCalm } from './outage.ts';
import { primaryOf, readNodes, type SlotNode, slotOf } from './redis-slots.ts';

it('a tag’s slot is Redis’ own', () => {
  // The check value of the specification: CRC16 of "123456789" is 0x31C3.
  expect(slotOf('123456789')).toBe(0x31c3);
  // As CLUSTER KEYSLOT {foo} answers.
  expect(slotOf('foo')).toBe(12_182);
});

const text = `aa 127.0.0.1:4210@4250 master - 0 1 1 connected 0-5460 5462
bb 127.0.0.1:4213@4253 myself,slave aa 0 1 1 connected
cc 127.0.0.1:4211@4251 master - 0 1 2 connected 5463-10922 [5461-<-aa]
`;
const nameOf = new Map([
  [4210, 'redis-sessions-1'],
  [4211, 'redis-sessions-2'],
]);

it('a node tells its role, whom it copies, and the slots that it serves, without one that is on its way', () => {
  expect(readNodes(text, nameOf)).toEqual({ id: 'bb', role: 'replica', of: 'redis-sessions-1', slotCount: 0, ranges: [] });
  expect(readNodes(text.replace('myself,slave', 'slave').replace('4251 master', '4251 myself,master'), nameOf)).toMatchObject({
    id: 'cc',
    role: 'primary',
    of: undefined,
    slotCount: 5460,
    ranges: [[5463, 10_922]],
  });
});

it('a slot’s primary is the one that serves it, and no replica', () => {
  const node = (process: string, role: SlotNode['role'], ranges: SlotNode['ranges']): SlotNode => ({
    process,
    role,
    ranges,
    of: undefined,
    slotCount: 1,
    keyCount: 0,
    port: 1,
    id: process,
  });
  const nodes = [node('old', 'replica', [[0, 9]]), node('one', 'primary', [[0, 4]]), node('two', 'primary', [[5, 9]])];
  expect([4, 5, 10].map((slot) => primaryOf(slot, nodes)?.process)).toEqual(['one', 'two', undefined]);
});

it('an outage lasts from the first failure to the first success after it, and reads go on until all is calm', async () => {
  const answers = [true, false, false, true, true];
  const { told, deedIsDone } = readUntilCalm(() => Promise.resolve(answers.shift() ?? true), { calm: 30, max: 5_000 });
  deedIsDone();
  const { count, failed, outageMs } = await told;
  expect(failed).toBe(2);
  expect(count).toBeGreaterThanOrEqual(4);
  expect(outageMs).toBeGreaterThan(0);
});

it('reads that never succeed again tell no length of an outage', async () => {
  const { told, deedIsDone } = readUntilCalm(() => Promise.resolve(false), { calm: 10, max: 60 });
  deedIsDone();
  expect(await told).toMatchObject({ outageMs: undefined });
});
