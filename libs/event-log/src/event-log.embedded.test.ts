import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TopicSpec } from '@cloakroom/contracts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventLogContract } from './contract/event-log.contract.ts';
import { systemClock } from '@cloakroom/platform';
import { EmbeddedEventLog } from './event-log.embedded.ts';
import { publishInParts } from './event-log.ts';
import type { LogRecord } from './event-log.ts';

const topic: TopicSpec = { name: 'journal.test', partitions: 3, cleanup: 'delete', retentionMs: -1 };
let folder: string;
let file: string;
const warnings: string[] = [];
const log = {
  debug: () => undefined,
  info: () => undefined,
  warn: (_: object, message: string) => void warnings.push(message),
  error: () => undefined,
};
const open = (nowMs = () => Date.now()) => new EmbeddedEventLog({ file, log, clock: { ...systemClock, nowMs } });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'event-log-'));
  file = join(folder, 'events.log');
  warnings.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true }));

async function readAll(events: EmbeddedEventLog, group = 'reader', of = topic): Promise<LogRecord[]> {
  const bounds = await events.bounds(of);
  const total = [...bounds.values()].reduce((sum, { first, next }) => sum + Number(next - first), 0);
  const records: LogRecord[] = [];
  const subscription = await events.subscribe({
    group,
    topics: [of],
    from: 'earliest',
    handler: (batch) => {
      records.push(...batch.records);
      return Promise.resolve();
    },
  });
  await vi.waitFor(() => expect(records).toHaveLength(total));
  await subscription.stop();
  return records;
}

describe('the journal of the embedded event log', () => {
  it('gives back every record, header and tombstone after a restart', async () => {
    const before = open();
    await before.ensureTopics([topic]);
    await before.publish(topic, [
      { key: 'a', value: Buffer.from([0, 255]), headers: { h: Buffer.from('x') } },
      { key: 'b', value: null },
      { key: '', value: Buffer.alloc(0) },
    ]);
    const written = await readAll(before);
    // Not closed: a killed process.
    const after = open();
    const read = await readAll(after, 'other');
    expect(read.toSorted((x, y) => x.key.localeCompare(y.key))).toEqual(written.toSorted((x, y) => x.key.localeCompare(y.key)));
    expect(read.find(({ key }) => key === 'b')?.value).toBeNull();
    await before.close();
    await after.close();
  });

  it('cuts a torn tail, warns, keeps what was cut, and goes on after it', async () => {
    const before = open();
    await before.ensureTopics([topic]);
    await before.publish(topic, [{ key: 'a', value: Buffer.from('whole'), partition: 0 }]);
    await before.close();
    const whole = statSync(file).size;
    appendFileSync(file, Buffer.from([40, 0, 0, 0, 1, 2, 3, 4, 2]));
    const after = open();
    expect(warnings).toHaveLength(1);
    expect(statSync(file).size).toBe(whole);
    expect(readFileSync(`${file}.torn`)).toHaveLength(9);
    expect(await after.publish(topic, [{ key: 'a', value: Buffer.from('next'), partition: 0 }])).toEqual([
      { topic: topic.name, partition: 0, offset: 1n },
    ]);
    await after.close();
    const again = open();
    expect((await readAll(again, 'third')).map(({ value }) => String(value))).toEqual(['whole', 'next']);
    await again.close();
  });

  it('cuts a record whose bytes rotted', async () => {
    const before = open();
    await before.ensureTopics([topic]);
    await before.publish(topic, [{ key: 'a', value: Buffer.from('rotten'), partition: 0 }]);
    await before.close();
    const bytes = readFileSync(file);
    bytes[bytes.length - 6]! ^= 1;
    writeFileSync(file, bytes);
    const after = open();
    expect((await after.bounds(topic)).get(0)).toEqual({ first: 0n, next: 0n });
    expect(existsSync(`${file}.torn`)).toBe(true);
    await after.close();
  });

  it('remembers the offsets that a group committed', async () => {
    const before = open();
    await before.ensureTopics([topic]);
    await before.publish(topic, [{ key: 'a', value: Buffer.from('1'), partition: 1 }]);
    await readAll(before, 'group');
    await before.close();
    const after = open();
    expect((await after.lag('group', topic)).map(({ records }) => records)).toEqual([0n, 0n, 0n]);
    await after.publish(topic, [{ key: 'a', value: Buffer.from('2'), partition: 1 }]);
    expect((await after.lag('group', topic))[1]?.records).toBe(1n);
    await after.close();
  });

  it('forgets what is past its retention, keeps offsets, and shrinks the file at open', async () => {
    const short: TopicSpec = { ...topic, name: 'short', partitions: 1, retentionMs: 1_000 };
    let nowMs = 1_000_000;
    const before = open(() => nowMs);
    await before.ensureTopics([short]);
    const old = Array.from({ length: 50 }, (_, i) => ({ key: 'k', value: Buffer.alloc(100, i) }));
    await before.publish(short, old);
    nowMs += 5_000;
    await before.publish(short, [{ key: 'k', value: Buffer.from('kept') }]);
    await before.close();
    const grown = statSync(file).size;
    for (let n = 0; n < 2; n++) {
      const after = open(() => nowMs);
      expect((await after.bounds(short)).get(0)).toEqual({ first: 50n, next: 51n });
      expect((await readAll(after, `reader-${n}`, short)).map(({ value, offset }) => [String(value), offset])).toEqual([['kept', 50n]]);
      await after.close();
    }
    expect(statSync(file).size).toBeLessThan(grown / 5);
  });
});

describe('publishing in parts', () => {
  const sizes = [300_000, 200_000, 1, 800_000, 10, 449_000];
  const records = sizes.map((size, n) => ({ key: String(n), value: Buffer.alloc(size), partition: 0 }));

  it('publishes what is too much for one publish in several, in order, and of nothing none', async () => {
    const events = new EmbeddedEventLog({ log, clock: systemClock });
    await events.ensureTopics([topic]);
    await expect(events.publish(topic, records)).rejects.toMatchObject({ kind: 'fatal' });
    await publishInParts(events, topic, []);
    await publishInParts(events, topic, records);
    expect((await readAll(events, 'parts', topic)).map(({ key }) => key)).toEqual(['0', '1', '2', '3', '4', '5']);
    await events.close();
  });
});

eventLogContract('embedded', () => {
  const events = new EmbeddedEventLog({ log, clock: systemClock });
  return Promise.resolve({
    log: events,
    other: events,
    monotonicMs: () => systemClock.monotonicMs(),
    silence: () => Promise.resolve(events.interrupt()),
    speak: () => events.restore(),
    close: () => events.close(),
  });
});
