import { t0 as sampleTimeMs, tombstoneOf, userSession } from './session-store.samples.ts';
import { sessionStoreContract } from './contract/session-store.contract.ts';
import type { SessionStoreUnderTest } from './session-store.samples.ts';
import { expect, it } from 'vitest';
import { sessionKey, subjectKey } from './keys.ts';
import { epochLifetimeMs } from './session.limits.ts';
import type { MemoryEntries } from './session.store.entries.ts';
import { MemorySessionStore } from './session.store.memory.ts';

async function make(options: { readonly epochLifetimeMs?: number }): Promise<SessionStoreUnderTest> {
  const entries: MemoryEntries = new Map();
  const store = new MemorySessionStore({ incarnation: 'one life', entries, ...options });
  return {
    store,
    second: store,
    keys: async (nowMs) => {
      for (const [key, { untilMs }] of entries) if (untilMs <= nowMs) entries.delete(key);
      return [...entries].map(([key, { untilMs }]) => ({ key, ttlMs: untilMs - nowMs }));
    },
    indexed: async (tag, subject) => {
      const index = entries.get(subjectKey(tag, subject));
      return index?.kind === 'subject' ? [...index.hashes.values()] : [];
    },
    plant: async (key, record) =>
      void entries.set(sessionKey(key.tag, key.hash), { kind: 'session', record, untilMs: record.idleExpiresAtMs }),
    snapshot: async () => {
      const copy = structuredClone(entries);
      return async () => {
        entries.clear();
        for (const [key, entry] of copy) entries.set(key, entry);
      };
    },
    wipe: async () => entries.clear(),
    close: () => store.close(),
  };
}

sessionStoreContract('memory', make);

it('gives no new session when it is full, and still ends those it has', async () => {
  const store = new MemorySessionStore({ incarnation: 'small', entryCountMax: 3 });
  const session = userSession('a');
  await store.create(session, 10, sampleTimeMs);
  await store.create(userSession('b'), 10, sampleTimeMs);
  await expect(store.create(userSession('c'), 10, sampleTimeMs)).rejects.toMatchObject({ name: 'StoreUnavailable' });
  expect(await store.revoke(tombstoneOf(session), sampleTimeMs)).toMatchObject({ handle: session.handle });
  expect(await store.resolve(session, sampleTimeMs, undefined)).toBeUndefined();
});
it('forgets what expired although nobody asks for it', async () => {
  const entries: MemoryEntries = new Map();
  const store = new MemorySessionStore({ incarnation: 'sweeps', entries });
  for (let i = 0; i < 100; i++) await store.create(userSession(`${i}`, { subject: `u_${i}` }), 10, sampleTimeMs);
  const later = sampleTimeMs + 2 * epochLifetimeMs;
  for (let i = 0; i < 100; i++) await store.resolve({ tag: '0000', hash: 'nobody' }, later, undefined);
  expect(entries.size).toBe(0);
});
