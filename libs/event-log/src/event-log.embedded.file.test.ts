import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import type { TopicSpec } from '@cloakroom/contracts';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { copyEmbeddedLog, openLogFile, type LogFile } from './event-log.embedded.file.ts';
import type { LogEntry } from './event-log.embedded.state.ts';

const spec: TopicSpec = { name: 'kept', partitions: 1, cleanup: 'delete', retentionMs: -1 };
const record = (offset: bigint): LogEntry => ({
  kind: 'record',
  record: { topic: spec.name, partition: 0, offset, timestampMs: 1, key: 'a', value: null, headers: {} },
});
const commit = (group: string, atMs: number): LogEntry => ({ kind: 'commit', group, topic: spec.name, partition: 0, offset: 1n, atMs });
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'log-file-'));
  file = join(folder, 'events.log');
});
afterEach(() => rmSync(folder, { recursive: true }));

function open(path = file): { readonly log: LogFile; readonly found: LogEntry[] } {
  const found: LogEntry[] = [];
  return { log: openLogFile(path, quiet, (entry) => found.push(entry)), found };
}

/** An earlier build wrote this for a topic: a frame of its kind, and the topic as text. */
function journalOf(topic: TopicSpec): Buffer {
  const text = Buffer.from(JSON.stringify(topic));
  const payload = Buffer.concat([Buffer.from([1]), uint32(text.length), text]);
  return Buffer.concat([uint32(payload.length), uint32(crc32(payload)), payload]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

it('an imported journal is in the database itself before it is put aside: what lies beside may be lost with the power', () => {
  writeFileSync(file, journalOf(spec));
  const { log } = open();
  copyFileSync(file, join(folder, 'without-wal.log'));
  log.close();
  const after = open(join(folder, 'without-wal.log'));
  expect(after.found).toEqual([{ kind: 'topic', spec }]);
  after.log.close();
});

it('a commit that is past its retention is deleted from the file', () => {
  const { log } = open();
  log.append([{ kind: 'topic', spec }, commit('old', 1_000), commit('new', 3_000)]);
  log.shrink(2_000);
  log.close();
  const after = open();
  expect(after.found.filter(({ kind }) => kind === 'commit')).toEqual([commit('new', 3_000)]);
  after.log.close();
});

it('a second process at the file is told for good, and not to try again', () => {
  const [one, other] = [open(), open()];
  one.log.append([{ kind: 'topic', spec }, record(0n)]);
  expect(() => other.log.append([record(0n)])).toThrow(
    expect.objectContaining({ kind: 'fatal', message: 'another process writes the file of this event log' }),
  );
  one.log.close();
  other.log.close();
});

it('advises --fresh for a damaged file, and not for one that another process holds', () => {
  open().log.close();
  const holder = new DatabaseSync(file);
  holder.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE');
  expect(() => open()).toThrow(/events\.log cannot be opened: .*locked.* end what else uses the file/);
  holder.close();
  writeFileSync(file, Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(4_000, 7)]));
  expect(() => open()).toThrow(/events\.log cannot be opened.* --fresh begins with an empty one/);
});

it('copies the journal of an earlier build as it is', () => {
  writeFileSync(file, journalOf(spec));
  const copy = join(folder, 'copy.log');
  copyEmbeddedLog(file, copy);
  const { log, found } = open(copy);
  expect(found).toEqual([{ kind: 'topic', spec }]);
  log.close();
});
