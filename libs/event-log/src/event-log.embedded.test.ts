import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
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
const said: string[] = [];
const log = {
  debug: () => undefined,
  info: (_: object, message: string) => void said.push(message),
  warn: (_: object, message: string) => void said.push(message),
  error: () => undefined,
};
const open = (nowMs = () => Date.now()) => new EmbeddedEventLog({ file, log, clock: { ...systemClock, nowMs } });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'event-log-'));
  file = join(folder, 'events.log');
  said.length = 0;
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

/** Copies the file as a process killed now leaves it, with the newest commits, which SQLite keeps beside it. */
function killedCopy(): { readonly copy: string; readonly newest: string } {
  const copy = join(folder, 'killed.log');
  for (const suffix of ['', '-wal']) copyFileSync(`${file}${suffix}`, `${copy}${suffix}`);
  return { copy, newest: `${copy}-wal` };
}

describe('the file of the embedded event log', () => {
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

  it('holds every acknowledged record after kill -9', async () => {
    const child = spawn(
      process.execPath,
      [
        '--conditions=source',
        '--experimental-transform-types',
        '--no-warnings',
        join(import.meta.dirname, 'event-log.killed.fixture.ts'),
        file,
        JSON.stringify(topic),
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const output = text(child.stdout);
    let lines = 0;
    child.stdout.on('data', (bytes: Buffer) => {
      lines += bytes.toString().split('\n').length - 1;
      if (lines > 200) child.kill('SIGKILL');
    });
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
    const acknowledged = (await output).split('\n').slice(0, -1);
    const after = open();
    const read = await readAll(after);
    expect(acknowledged.length).toBeGreaterThan(200);
    expect(read.length).toBeGreaterThanOrEqual(acknowledged.length);
    expect(read.map(({ offset, value }) => [offset, String(value)])).toEqual(read.map((_, n) => [BigInt(n), String(n)]));
    await after.close();
  });

  it('loses the publish that a crash tore and nothing else, and goes on after it', async () => {
    const before = open();
    await before.ensureTopics([topic]);
    await before.publish(topic, [{ key: 'a', value: Buffer.from('whole'), partition: 0 }]);
    const whole = statSync(`${file}-wal`).size;
    await before.publish(topic, [{ key: 'a', value: Buffer.from('torn'), partition: 0 }]);
    const { copy, newest } = killedCopy();
    await before.close();
    truncateSync(newest, statSync(newest).size - 9);
    expect(statSync(newest).size).toBeGreaterThan(whole);
    file = copy;
    const after = open();
    expect(await after.publish(topic, [{ key: 'a', value: Buffer.from('next'), partition: 0 }])).toEqual([
      { topic: topic.name, partition: 0, offset: 1n },
    ]);
    await after.close();
    const again = open();
    expect((await readAll(again, 'third')).map(({ value }) => String(value))).toEqual(['whole', 'next']);
    await again.close();
  });

  it('cuts a record whose bytes rotted before they reached the database', async () => {
    const before = open();
    await before.ensureTopics([topic]);
    await before.publish(topic, [{ key: 'a', value: Buffer.from('rotten'), partition: 0 }]);
    const { copy, newest } = killedCopy();
    await before.close();
    const bytes = readFileSync(newest);
    bytes[bytes.length - 6]! ^= 1;
    writeFileSync(newest, bytes);
    file = copy;
    const after = open();
    expect((await after.bounds(topic)).get(0)).toEqual({ first: 0n, next: 0n });
    await after.close();
  });

  it('acknowledges nothing that it could not write, and takes the next publish', async () => {
    const events = open();
    await events.ensureTopics([topic]);
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    const records = [{ key: 'a', value: Buffer.from('1'), partition: 0 }];
    await expect(events.publish(topic, records)).rejects.toMatchObject({ kind: 'retriable', outcomeUnknown: false });
    expect((await events.bounds(topic)).get(0)).toEqual({ first: 0n, next: 0n });
    other.close();
    expect(await events.publish(topic, records)).toMatchObject([{ offset: 0n }]);
    await events.close();
  });

  it('takes more publishes in one turn than one transaction does, in their order', async () => {
    const events = open();
    await events.ensureTopics([topic]);
    const numbers = Array.from({ length: 2_500 }, (_, n) => n);
    const publish = (n: number) => events.publish(topic, [{ key: 'a', value: Buffer.from(String(n)), partition: 0 }]);
    const positions = await Promise.all(numbers.map(publish));
    expect(positions.map(([position]) => Number(position?.offset))).toEqual(numbers);
    expect((await readAll(events)).map(({ value }) => Number(String(value)))).toEqual(numbers);
    await events.close();
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
    const old = Array.from({ length: 50 }, (_, i) => ({ key: 'k', value: Buffer.alloc(10_000, i) }));
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

  it('opens where what is past its retention cannot be deleted, and deletes it at the next open', async () => {
    const short: TopicSpec = { ...topic, name: 'short', partitions: 1, retentionMs: 1_000 };
    const before = open(() => 0);
    await before.ensureTopics([short]);
    await before.publish(short, [{ key: 'k', value: null }]);
    await before.close();
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    for (const says of [['records past their retention could not be deleted from the event log'], []]) {
      said.length = 0;
      const after = open(() => 5_000);
      expect(said).toEqual(says);
      expect((await after.bounds(short)).get(0)).toEqual({ first: 1n, next: 1n });
      await after.close();
      if (other.isOpen) other.close();
    }
  });

  it('deletes at open all that is past its retention, however much it is', async () => {
    const short: TopicSpec = { ...topic, name: 'short', partitions: 1, retentionMs: 1_000 };
    const before = open(() => 0);
    await before.ensureTopics([short]);
    await before.publish(
      short,
      Array.from({ length: 2_000 }, () => ({ key: 'k', value: null })),
    );
    await before.close();
    await open(() => 5_000).close();
    const after = open(() => 0);
    expect((await after.bounds(short)).get(0)).toEqual({ first: 2_000n, next: 2_000n });
    expect(new DatabaseSync(file).prepare('SELECT count(*) AS count FROM records').get()).toEqual({ count: 0 });
    await after.close();
  });
});

describe('a file of an earlier build', () => {
  /** Two partitions. The first four records of one were past their retention; group g had read to the end. */
  const journal = Buffer.from(
    'SAAAAEuX0PEBQwAAAHsibmFtZSI6Im9sZCIsInBhcnRpdGlvbnMiOjIsImNsZWFudXAiOiJkZWxldGUiLCJyZXRlbnRpb25NcyI6MTAwMH0UAAAAWpxVgwQDAAAAb2xkAQAAAAQA' +
      'AAAAAAAAQwAAACpU4z8CAwAAAG9sZAEAAAAEAAAAAAAAAIj7l7aaAQAACAAAANC60LvRjtGHAQIAAAAA/wEAAAAFAAAAYnl0ZXMDAAAAAAH/KgAAAB6J/TsCAwAAAG9sZAAAAAAA' +
      'AAAAAAAAAIj7l7aaAQAAAQAAAGsAAAAAAAAAAAApAAAAv1+DigIDAAAAb2xkAQAAAAUAAAAAAAAAiPuXtpoBAAAAAAAAAQAAAAAAAAAAIQAAAJHDNJ8DAQAAAGcDAAAAb2xkAAAA' +
      'AAEAAAAAAAAAiPuXtpoBAAAhAAAAogCqBwMBAAAAZwMAAABvbGQBAAAABgAAAAAAAACI+5e2mgEAAA==',
    'base64',
  );
  const old: TopicSpec = { name: 'old', partitions: 2, cleanup: 'delete', retentionMs: 1_000 };
  const writtenAtMs = 1_764_000_005_000;

  it('is read once, with all that it holds, and stays beside', async () => {
    writeFileSync(file, Buffer.concat([journal, Buffer.from('a torn frame')]));
    for (const group of ['one', 'two']) {
      const events = open(() => writtenAtMs);
      expect(await events.bounds(old)).toEqual(
        new Map([
          [0, { first: 0n, next: 1n }],
          [1, { first: 4n, next: 6n }],
        ]),
      );
      const [first, second, third] = (await readAll(events, group, old)).toSorted((a, b) => a.partition - b.partition);
      expect(first).toMatchObject({ partition: 0, offset: 0n, key: 'k', value: null });
      const headers = { bytes: Buffer.from([0, 1, 255]) };
      expect(second).toMatchObject({ offset: 4n, key: 'ключ', value: Buffer.from([0, 255]), headers, timestampMs: writtenAtMs });
      expect(third).toMatchObject({ offset: 5n, key: '', value: Buffer.alloc(0) });
      expect((await events.lag('g', old)).map(({ records }) => records)).toEqual([0n, 0n]);
      await events.close();
    }
    expect(said).toEqual([expect.stringContaining('torn record'), expect.stringContaining('<file>.imported')]);
    expect(readdirSync(folder).toSorted()).toEqual(['events.log', 'events.log.imported']);
  });

  it('is read by the next start where the first was killed on the way', async () => {
    writeFileSync(`${file}.journal`, journal);
    const events = open(() => writtenAtMs);
    expect(await readAll(events, 'one', old)).toHaveLength(3);
    await events.close();
  });

  it('is refused with the way out where it is no event log at all, and stays as it is', () => {
    writeFileSync(file, 'something else');
    expect(() => open()).toThrow(/events\.log cannot be opened.* --fresh/);
    expect(readdirSync(folder)).toEqual(['events.log']);
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
