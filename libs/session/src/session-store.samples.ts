/** Samples and the kit for the contract of session stores. Equal names give equal sessions. */
import { createHash } from 'node:crypto';
import type { NewSession, SessionRecord, SessionStore, TokenKey, Tombstone } from './session.store.ts';
import { limits } from './session.limits.ts';

export interface SessionStoreUnderTest {
  readonly store: SessionStore;
  /** The same content through another connection. */
  readonly second: SessionStore;
  /** Everything the store keeps, with the remaining time. @param nowMs for a store that has no clock of its own */
  keys(nowMs: number): Promise<{ readonly key: string; readonly ttlMs: number }[]>;
  /** The hashes in a subject's index, as they are kept, dead ones included. */
  indexed(tag: string, subject: string): Promise<string[]>;
  /** Replaces another token's record. */
  plant(key: TokenKey, record: SessionRecord): Promise<void>;
  /** Remembers all content. The returned function brings it back, as a failover to a lagging replica does. */
  snapshot(): Promise<() => Promise<void>>;
  wipe(): Promise<void>;
  close(): Promise<void>;
}

/** Makes an empty store. */
export type MakeSessionStore = (options: { readonly epochLifetimeMs?: number }) => Promise<SessionStoreUnderTest>;
export type Under = () => SessionStoreUnderTest;

export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;
export const life = limits.user;
/** An arbitrary moment: a store must not compare it with its own clock. */
export const t0 = 1_800_000_000_000;

export const hashNamed = (name: string): string => createHash('sha256').update(name).digest('base64url');

export function userSession(name: string, changes: Partial<NewSession> = {}, nowMs = t0): NewSession {
  return {
    hash: hashNamed(name),
    tag: '0abc',
    handle: `handle-${name}`,
    subject: 'u_person',
    state: 'user',
    mode: 'hybrid',
    globalEpoch: 0,
    createdAtMs: nowMs,
    authenticatedAtMs: nowMs,
    lastSeenAtMs: nowMs,
    idleExpiresAtMs: nowMs + life.idleTimeoutMs,
    expiresAtMs: nowMs + life.absoluteTimeoutMs,
    device: 'a browser',
    claimedGuestCart: '',
    region: 'local',
    generation: 0,
    rotatedAtMs: 0,
    amr: '',
    ...changes,
  };
}

/** The end of a session (its handle) or of one token (its hash). */
export function tombstoneOf(session: NewSession, name = session.handle): Tombstone {
  return { tag: session.tag, name, subject: session.subject, untilMs: session.expiresAtMs };
}
