import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { t0 as sampleTimeMs, tombstoneOf, userSession } from './session-store.samples.ts';
import { sessionStoreContract } from './contract/session-store.contract.ts';
import type { SessionStoreUnderTest } from './session-store.samples.ts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { sessionKey, subjectKey } from './keys.ts';
import { limits } from './session.limits.ts';
import { openSessionFile } from './session.store.file.ts';
import { rewriteIntervalMs, type MemoryEntries, type SessionFile } from './session.store.entries.ts';
import { MemorySessionStore } from './session.store.memory.ts';

const notSetAside = (error: unknown) => {
  throw error;
};
/** Reading the file again before each call costs its length: with more the contract would take minutes. */
const rereadCountMax = 50;

/** Fills the memory from the file before each call, like a process just killed and started. State that only memory had is lost. */
function restartedBeforeEachCall(store: MemorySessionStore, entries: MemoryEntries, file: SessionFile): MemorySessionStore {
  return new Proxy(store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        if (entries.size <= rereadCountMax && name !== 'close') readAgain(entries, file);
        return Reflect.apply(value, target, args);
      };
    },
  });
}

function readAgain(entries: MemoryEntries, file: SessionFile): void {
  entries.clear();
  for (const [key, entry] of file.read()) entries.set(key, entry);
}

let folder: string;
let count = 0;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cloakroom-sessions-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function make(options: { readonly epochLifetimeMs?: number }): Promise<SessionStoreUnderTest> {
  const file = openSessionFile(join(folder, `${(count += 1)}.sqlite`), notSetAside);
  const entries: MemoryEntries = new Map();
  const store = restartedBeforeEachCall(new MemorySessionStore({ incarnation: 'one life', entries, file, ...options }), entries, file);
  return {
    store,
    second: store,
    keys: async (nowMs) => {
      const over = [...entries].filter(([, { untilMs }]) => untilMs <= nowMs).map(([key]) => key);
      file.write(new Map(over.map((key) => [key, undefined])));
      readAgain(entries, file);
      return [...entries].map(([key, { untilMs }]) => ({ key, ttlMs: untilMs - nowMs }));
    },
    indexed: async (tag, subject) => {
      readAgain(entries, file);
      const index = entries.get(subjectKey(tag, subject));
      return index?.kind === 'subject' ? [...index.hashes.values()] : [];
    },
    plant: async (key, record) =>
      file.write(new Map([[sessionKey(key.tag, key.hash), { kind: 'session', record, untilMs: record.idleExpiresAtMs }]])),
    snapshot: async () => {
      const copy = structuredClone(entries);
      return async () => file.write(new Map([...[...entries.keys()].map((key) => [key, undefined] as const), ...copy]));
    },
    wipe: async () => file.write(new Map([...entries.keys()].map((key) => [key, undefined]))),
    close: () => store.close(),
  };
}

sessionStoreContract('file, read again before each call', make);

describe('a process that follows on the same file', () => {
  const path = () => join(folder, 'sessions.sqlite');
  const opened = (file: SessionFile = openSessionFile(path(), notSetAside)) => new MemorySessionStore({ incarnation: 'next', file });

  it('knows the sessions, the tombstones and the epochs of the one that was killed', async () => {
    const killed = opened();
    const [live, ended, disabled] = [userSession('a'), userSession('b'), userSession('c', { subject: 'u_other' })];
    for (const session of [live, ended, disabled]) await killed.create(session, 10, sampleTimeMs);
    await killed.revoke(tombstoneOf(ended), sampleTimeMs);
    const epoch = await killed.raiseEpoch(disabled.tag, disabled.subject, undefined, sampleTimeMs);

    const next = opened();
    expect(await next.resolve(live, sampleTimeMs, undefined)).toMatchObject({ handle: live.handle });
    for (const dead of [ended, disabled]) expect(await next.resolve(dead, sampleTimeMs, undefined)).toBeUndefined();
    expect(await next.create(ended, 10, sampleTimeMs)).toBe('tombstoned');
    expect(await next.raiseEpoch(disabled.tag, disabled.subject, 0, sampleTimeMs)).toBe(epoch);
    await Promise.all([killed.close(), next.close()]);
  });
  it('acknowledges nothing that it could not write, and writes it with the next', async () => {
    let full = true;
    const file = openSessionFile(path(), notSetAside);
    const store = opened({
      ...file,
      write: (changes) => {
        if (full) throw new Error('the disk is full');
        file.write(changes);
      },
    });
    const session = userSession('a');
    await expect(store.create(session, 10, sampleTimeMs)).rejects.toMatchObject({ name: 'StoreUnavailable' });
    full = false;
    await store.create(session, 10, sampleTimeMs);
    const next = opened();
    expect(await next.resolve(session, sampleTimeMs, undefined)).toMatchObject({ handle: session.handle });
    await Promise.all([store.close(), next.close()]);
  });
  it('answers who somebody is while the disk is full, and keeps what it saw once there is room', async () => {
    const [file, refused] = [openSessionFile(path(), notSetAside), vi.fn<() => void>()];
    let full = false;
    const write: SessionFile['write'] = (changes) => {
      if (!full) return file.write(changes);
      refused();
      throw new Error('the disk is full');
    };
    const store = opened({ ...file, write });
    const session = userSession('a');
    await store.create(session, 10, sampleTimeMs);
    full = true;
    const seenAtMs = sampleTimeMs + limits.touchIntervalMs;
    const touch = { idleTimeoutMs: 3_600_000 };
    await expect(store.create(userSession('b'), 10, seenAtMs)).rejects.toMatchObject({ name: 'StoreUnavailable' });
    for (let i = 0; i < 5; i++) expect(await store.resolve(session, seenAtMs + 1, touch)).toMatchObject({ lastSeenAtMs: seenAtMs + 1 });
    expect((await store.list(session.tag, session.subject, seenAtMs + 1)).map(({ handle }) => handle)).toContain(session.handle);
    expect(refused, 'reads do not ask the disk each time').toHaveBeenCalledTimes(1);
    full = false;
    await store.resolve(session, seenAtMs + rewriteIntervalMs, touch);
    const next = opened();
    expect(await next.resolve(session, seenAtMs, undefined)).toMatchObject({ lastSeenAtMs: seenAtMs + 1 });
    await Promise.all([store.close(), next.close()]);
  });
  it('says why when another process has the file to itself, and leaves it as it is', async () => {
    const store = opened();
    const session = userSession('a');
    await store.create(session, 10, sampleTimeMs);
    await store.close();
    const holder = new DatabaseSync(path());
    holder.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; PRAGMA user_version = 1; COMMIT');
    expect(() => openSessionFile(path(), notSetAside)).toThrow(/locked/);
    holder.close();
    expect(readdirSync(folder)).toEqual(['sessions.sqlite']);
    const next = opened();
    expect(await next.resolve(session, sampleTimeMs, undefined)).toMatchObject({ handle: session.handle });
    await next.close();
  });
  it('says why when the file cannot be made', () => {
    mkdirSync(path());
    expect(() => openSessionFile(path(), notSetAside)).toThrow(/unable to open/);
    expect(readdirSync(folder)).toEqual(['sessions.sqlite']);
  });
  it('writes nothing to a file that it knows, so that it opens on a full disk too', () => {
    openSessionFile(path(), notSetAside).close();
    const watching = new DatabaseSync(path());
    const version = () => watching.prepare('PRAGMA data_version').get();
    const before = version();
    openSessionFile(path(), notSetAside).close();
    expect(version()).toEqual(before);
    watching.close();
  });
  it('sets aside the newest commits with the file they belong to', () => {
    writeFileSync(`${path()}.unreadable-wal`, 'of an earlier file');
    const later = new DatabaseSync(path());
    // While the database is open, its commits are only in the file beside it.
    later.exec('PRAGMA journal_mode = WAL; CREATE TABLE newest (n INTEGER) STRICT; PRAGMA user_version = 99');
    openSessionFile(path(), () => undefined).close();
    const kept = new DatabaseSync(`${path()}.unreadable`);
    expect(kept.prepare('SELECT name FROM sqlite_schema').all()).toEqual([{ name: 'newest' }]);
    kept.close();
    later.close();
  });
  it.each([
    ['is no database', () => writeFileSync(path(), 'a torn page '.repeat(1_000))],
    [
      'is of a later version',
      () => {
        const db = new DatabaseSync(path());
        db.exec('PRAGMA user_version = 99');
        db.close();
      },
    ],
    [
      'has an entry that cannot be read',
      () => {
        openSessionFile(path(), notSetAside).close();
        const db = new DatabaseSync(path());
        db.exec("INSERT INTO entries VALUES ('a key', '{half')");
        db.close();
      },
    ],
  ])('begins empty when the file %s, and sets it aside', async (_what, spoil) => {
    spoil();
    const told: unknown[] = [];
    const store = opened(openSessionFile(path(), (error) => told.push(error)));
    await store.create(userSession('a'), 10, sampleTimeMs);
    expect(told).toHaveLength(1);
    expect(readdirSync(folder)).toContain('sessions.sqlite.unreadable');
    await store.close();
  });
});
