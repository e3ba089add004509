/**
 * The file behind the session store of one process: a row for each entry, named by its key in Redis. It holds what Redis would: hashes and handles,
 * no token.
 *
 * Durability: a write is in the operating system's page cache before it is acknowledged, so a killed process loses nothing. A power failure may lose
 * the last writes, but tears none. A lost session is signed out. Auth's database tells lost revocations again.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Kept, SessionFile } from './session.store.entries.ts';

/** How long a write waits for another process at the file. One process owns it, so this is for a person who inspects it. */
const busyTimeoutMs = 500;
/** The version of the rows below. A file of another version is set aside. */
const version = 1;

/** SQLITE_CORRUPT and SQLITE_NOTADB, the low byte of what SQLite answers. */
const damagedCodes: readonly unknown[] = [11, 26];

/** Failures that every later start would meet too. */
class UnreadableFile extends Error {}

/**
 * Sets aside only a file that is damaged or none of ours. The next start may read one that is busy, not permitted or on a full disk. The error of
 * such a file ends this start, and the file stays.
 * @param setAside told when the file lies beside, and everybody is signed out
 */
export function openSessionFile(file: string, setAside: (error: unknown) => void): SessionFile {
  mkdirSync(dirname(file), { recursive: true });
  try {
    return open(file);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    const beside = `${file}.unreadable`;
    renameSync(file, beside);
    // The newest commits may be in this file alone. One left from an earlier time belongs to another file.
    rmSync(`${beside}-wal`, { force: true });
    if (existsSync(`${file}-wal`)) renameSync(`${file}-wal`, `${beside}-wal`);
    rmSync(`${file}-shm`, { force: true });
    setAside(error);
    return open(file);
  }
}

function isUnreadable(error: unknown): boolean {
  const { errcode } = error as { errcode?: unknown };
  return error instanceof UnreadableFile || (typeof errcode === 'number' && damagedCodes.includes(errcode & 0xff));
}

function open(file: string): SessionFile {
  const db = new DatabaseSync(file);
  try {
    db.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;`);
    const found = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
    if (found !== 0 && found !== version) throw new UnreadableFile(`the session file is of version ${found}, not ${version}`);
    // An existing file is not written at open, so it opens on a full disk too.
    if (found === 0)
      db.exec(`CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, entry TEXT NOT NULL) WITHOUT ROWID, STRICT;
        PRAGMA user_version = ${version};`);
    const rows = db.prepare('SELECT key, entry FROM entries');
    const read = () => rows.all().map(({ key, entry }) => [key as string, decode(entry as string)] as const);
    // This reads every page: a damaged one shows here, where the file can be set aside.
    read();
    return { read, ...writing(db) };
  } catch (error) {
    db.close();
    throw error;
  }
}

function writing(db: DatabaseSync): Pick<SessionFile, 'write' | 'close'> {
  const put = db.prepare('INSERT INTO entries (key, entry) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET entry = excluded.entry');
  const drop = db.prepare('DELETE FROM entries WHERE key = ?');
  return {
    write: (changes) => {
      db.exec('BEGIN IMMEDIATE');
      try {
        for (const [key, entry] of changes) {
          if (entry === undefined) drop.run(key);
          else put.run(key, encode(entry));
        }
        db.exec('COMMIT');
      } catch (error) {
        if (db.isTransaction) db.exec('ROLLBACK');
        throw error;
      }
    },
    close: () => {
      if (db.isOpen) db.close();
    },
  };
}

const encode = (entry: Kept): string => JSON.stringify(entry.kind === 'subject' ? { ...entry, hashes: [...entry.hashes] } : entry);

function decode(text: string): Kept {
  try {
    const entry = JSON.parse(text) as Kept & { hashes?: unknown };
    return entry.kind === 'subject' ? { ...entry, hashes: new Map(entry.hashes) } : entry;
  } catch (cause) {
    throw new UnreadableFile('an entry of the session file is damaged', { cause });
  }
}
