/**
 * The file behind the embedded log, a SQLite database: topics, records, and the offsets that groups committed. The log reads it once, at open, and
 * keeps all of it in memory.
 *
 * Durability: a commit is in the operating system's page cache, so a killed process loses nothing that was acknowledged. The disk is synced once a
 * second and at close, so a power failure may lose the last second. SQLite drops a transaction that a crash tore.
 */
import { closeSync, copyFileSync, existsSync, fdatasync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TopicSpec } from '@cloakroom/contracts';
import { isJournal, journalEntries } from './event-log.embedded.import.ts';
import type { LogEntry } from './event-log.embedded.state.ts';
import { EventLogError } from './event-log.ts';
import type { EventLogReporter, RecordHeaders } from './event-log.ts';

/** A power failure may lose this much. */
const syncIntervalMs = 1_000;
/** How long a write waits for another process at the file. One process owns it, so this is for a person who inspects it. */
const busyTimeoutMs = 500;
/** The file is shrunk at open when this much of it is free. It is not shrunk while the log runs, because that copies the file. */
const freeShareMax = 0.5;
/** The version of the tables below. */
const version = 1;
const schema = `
  CREATE TABLE topics (name TEXT PRIMARY KEY, spec TEXT NOT NULL) WITHOUT ROWID, STRICT;
  CREATE TABLE starts (topic TEXT, partition INTEGER, offset INTEGER NOT NULL, PRIMARY KEY (topic, partition)) WITHOUT ROWID, STRICT;
  CREATE TABLE records (
    topic TEXT, partition INTEGER, offset INTEGER, timestamp_ms INTEGER NOT NULL, key TEXT NOT NULL, headers TEXT NOT NULL, value BLOB,
    PRIMARY KEY (topic, partition, offset)
  ) WITHOUT ROWID, STRICT;
  CREATE TABLE commits (
    consumers TEXT, topic TEXT, partition INTEGER, offset INTEGER NOT NULL, at_ms INTEGER NOT NULL,
    PRIMARY KEY (consumers, topic, partition)
  ) WITHOUT ROWID, STRICT;`;

export interface LogFile {
  /**
   * @throws EventLogError retriable, when the disk refuses; fatal, when another process has written the file. The file then holds none of the
   * entries.
   */
  append(entries: Iterable<LogEntry>): void;
  /** Deletes commits that are older. Gives back the freed room where that is much. */
  shrink(commitsFromMs: number): void;
  close(): void;
}

/**
 * @param take is given the entries that make the state: a topic before its partitions' starts, those before records, and records in their order
 * @throws when the file is damaged or no event log; it stays as it is
 */
export function openLogFile(file: string, log: EventLogReporter, take: (entry: LogEntry) => void): LogFile {
  try {
    mkdirSync(dirname(file), { recursive: true });
    const journal = `${file}.journal`;
    // Until it is imported, the journal of an earlier build has another name.
    if (existsSync(file) && isJournal(file)) renameSync(file, journal);
    const imported = existsSync(journal);
    const opened = openDatabase(file, log, imported ? journalEntries(readFileSync(journal), log) : undefined, take);
    if (imported) {
      renameSync(journal, `${file}.imported`);
      log.info({ file }, 'the event log of an earlier build was read into a database; the old file stays as <file>.imported');
    }
    return opened;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    // A sound file must not be set aside because the disk is full or another process has it.
    const remedy = isRefusal(cause) ? 'Make room, or end what else uses the file' : '--fresh begins with an empty one';
    throw new Error(`the event log ${file} cannot be opened: ${why}. ${remedy}`, { cause });
  }
}

/** SQLite's primary result codes: https://www.sqlite.org/rescode.html */
const codes = { busy: 5, locked: 6, readOnly: 8, ioError: 10, full: 13, cannotOpen: 14, constraint: 19 } as const;
const refusals: ReadonlySet<number> = new Set([codes.busy, codes.locked, codes.readOnly, codes.ioError, codes.full, codes.cannotOpen]);
const codeOf = (error: unknown): number => Number((error as { readonly errcode?: number } | undefined)?.errcode ?? 0) & 0xff;
const isRefusal = (error: unknown): boolean => refusals.has(codeOf(error));

function openDatabase(
  file: string,
  log: EventLogReporter,
  imported: Iterable<LogEntry> | undefined,
  take: (entry: LogEntry) => void,
): LogFile {
  const db = new DatabaseSync(file, { readBigInts: true });
  try {
    db.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;`);
    const count = (pragma: string): number => Number(db.prepare(`PRAGMA ${pragma}`).get()![pragma]);
    const found = count('user_version');
    if (found !== 0 && found !== version) throw new Error(`it is of version ${found}, not ${version}`);
    if (found === 0) {
      db.exec(`BEGIN IMMEDIATE; ${schema}`);
      const write = writing(db);
      for (const entry of imported ?? []) write(entry);
      db.exec(`PRAGMA user_version = ${version}; COMMIT`);
      // The checkpoint puts it on disk before the journal gets a name under which no process reads it.
      if (imported !== undefined) db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    }
    for (const entry of reading(db)) take(entry);
    const synced = syncing(`${file}-wal`, log);
    return {
      append: appending(db, synced.needed),
      shrink: (commitsFromMs) => {
        db.prepare('DELETE FROM commits WHERE at_ms < ?').run(Math.trunc(commitsFromMs));
        if (count('freelist_count') > count('page_count') * freeShareMax) db.exec('VACUUM');
      },
      close: () => {
        synced.stop();
        db.close();
      },
    };
  } catch (error) {
    db.close();
    throw error;
  }
}

function appending(db: DatabaseSync, written: () => void): LogFile['append'] {
  const write = writing(db);
  const [begin, end] = [db.prepare('BEGIN IMMEDIATE'), db.prepare('COMMIT')];
  return (entries) => {
    try {
      begin.run();
      for (const entry of entries) write(entry);
      end.run();
      written();
    } catch (cause) {
      if (db.isTransaction) db.exec('ROLLBACK');
      const taken = codeOf(cause) === codes.constraint;
      const message = taken ? 'another process writes the file of this event log' : 'the event log could not be written';
      throw new EventLogError(taken ? 'fatal' : 'retriable', message, { outcomeUnknown: false, cause });
    }
  };
}

function writing(db: DatabaseSync): (entry: LogEntry) => void {
  const topic = db.prepare('INSERT INTO topics VALUES (?, ?)');
  const start = db.prepare('INSERT OR REPLACE INTO starts VALUES (?, ?, ?)');
  const forget = db.prepare('DELETE FROM records WHERE topic = ? AND partition = ? AND offset < ?');
  const commit = db.prepare('INSERT OR REPLACE INTO commits VALUES (?, ?, ?, ?, ?)');
  const insert = db.prepare('INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?)');
  return (entry) => {
    if (entry.kind === 'topic') {
      topic.run(entry.spec.name, JSON.stringify(entry.spec));
    } else if (entry.kind === 'start') {
      start.run(entry.topic, entry.partition, entry.offset);
      forget.run(entry.topic, entry.partition, entry.offset);
    } else if (entry.kind === 'commit') {
      commit.run(entry.group, entry.topic, entry.partition, entry.offset, Math.trunc(entry.atMs));
    } else {
      const { topic: of, partition, offset, timestampMs, key, headers, value } = entry.record;
      insert.run(of, partition, offset, Math.trunc(timestampMs), key, encodeHeaders(headers), value);
    }
  };
}

/** Rows as SQLite gives them, integers as bigint. */
type Of = { readonly topic: string; readonly partition: bigint; readonly offset: bigint };
type CommitRow = Of & { readonly consumers: string; readonly at_ms: bigint };
type RecordRow = Of & { readonly timestamp_ms: bigint; readonly key: string; readonly headers: string; readonly value: Uint8Array | null };

function* reading(db: DatabaseSync): Generator<LogEntry> {
  const rows = <Row>(table: string) => db.prepare(`SELECT * FROM ${table}`).iterate() as unknown as Iterable<Row>;
  for (const { spec } of rows<{ spec: string }>('topics')) yield { kind: 'topic', spec: JSON.parse(spec) as TopicSpec };
  for (const { topic, partition, offset } of rows<Of>('starts')) yield { kind: 'start', topic, partition: Number(partition), offset };
  for (const { partition, timestamp_ms: atMs, value, headers, ...row } of rows<RecordRow>('records ORDER BY topic, partition, offset')) {
    const bytes = value === null ? null : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    const placed = { ...row, partition: Number(partition), timestampMs: Number(atMs) };
    yield { kind: 'record', record: { ...placed, value: bytes, headers: decodeHeaders(headers) } };
  }
  for (const { consumers, at_ms: atMs, partition, topic, offset } of rows<CommitRow>('commits'))
    yield { kind: 'commit', group: consumers, topic, partition: Number(partition), offset, atMs: Number(atMs) };
}

/** A JSON object of names and values. Latin-1 has a character for each byte, so every byte is kept, and text stays readable. */
function encodeHeaders(headers: RecordHeaders): string {
  return JSON.stringify(Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.toString('latin1')])));
}

function decodeHeaders(text: string): RecordHeaders {
  const headers = JSON.parse(text) as Record<string, string>;
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Buffer.from(value, 'latin1')]));
}

/** Tells the disk once a second to take the newest commits, off the event loop. Closing the database syncs it too. */
function syncing(file: string, log: EventLogReporter): { needed(): void; stop(): void } {
  const fd = openSync(file, 'r');
  let [needed, stopped] = [false, false];
  const timer = setInterval(() => {
    if (!needed) return;
    needed = false;
    fdatasync(fd, (error) => {
      if (error !== null && !stopped) log.error({ file, err: error }, 'the event log could not be synced to disk');
    });
  }, syncIntervalMs);
  timer.unref();
  return {
    needed: () => (needed = true),
    stop: () => {
      stopped = true;
      clearInterval(timer);
      closeSync(fd);
    },
  };
}

/** A copy for a process that does not own the file. Commits made after the copy begins are not in it. */
export function copyEmbeddedLog(file: string, copy: string): void {
  // SQLite would not report that the file is missing.
  statSync(file);
  // The process that opens the copy imports it.
  if (isJournal(file)) return copyFileSync(file, copy);
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    db.prepare('VACUUM INTO ?').run(copy);
  } finally {
    db.close();
  }
}
