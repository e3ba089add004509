import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sampleTimeMs, sessionStoreContract, tombstoneOf, userSession } from '@cloakroom/testing';
import type { SessionStoreUnderTest } from '@cloakroom/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sessionKey, subjectKey } from './keys.ts';
import { openSessionFile } from './session.store.file.ts';
import type { MemoryEntries, SessionFile } from './session.store.entries.ts';
import { MemorySessionStore } from './session.store.memory.ts';

const notSetAside = (error: unknown) => {
  throw error;
};
/** Reading the file again before each call costs its length: with more the contract would take minutes. */
const rereadCountMax = 50;

/** Before each call the memory is filled from the file anew, as by a process that was just killed and started: what only memory knows is lost. */
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
