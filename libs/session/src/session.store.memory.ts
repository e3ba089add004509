/**
 * The session store of one process: Redis' behaviour, without Redis. Each operation runs to its end without an await, so it is as atomic as a Lua
 * call. With a file (session.store.file.ts) its sessions outlive the process. Even so, a new process begins a new incarnation, and auth tells it
 * every revocation again. So revocations that the file may have lost in a power failure stay in force.
 *
 * Expiry is lazy, as in Redis. An expired entry is not live from that millisecond on. The store forgets it a little later, a few entries with every
 * operation.
 */
import { sessionKey, subjectKey, tombstoneKey } from './keys.ts';
import { epochLifetimeMs } from './session.limits.ts';
import { isTouchDue, liveRecord } from './session.liveness.ts';
import { byActivity, storable } from './session.record.ts';
import { afterRefresh, judgeRefresh } from './session.refresh.ts';
import { KeptEntries, type Kept, type MemoryEntries, type SessionFile } from './session.store.entries.ts';
import { StoreUnavailable } from './session.store.ts';
import type { NewSession, RefreshRequest, RefreshVerdict, SessionRecord, SessionStore, TokenKey, Tombstone } from './session.store.ts';

export interface MemoryStoreOptions {
  /** Unique to this process' life. */
  readonly incarnation: string;
  /** Entries of all kinds. At the bound the store gives no new session. About 500 bytes each: 100,000 are 50 MB, a sixth of embedded's memory. */
  readonly entryCountMax?: number;
  readonly epochLifetimeMs?: number;
  /** Keeps all entries, by their keys in Redis. Tests pass it in to inspect it, roll it back and plant foreign entries. */
  readonly entries?: MemoryEntries;
  /** The file in which entries outlive the process. Without it they do not. */
  readonly file?: SessionFile;
}

const noIndex = { epoch: 0, listedHash: undefined };

export class MemorySessionStore implements SessionStore {
  readonly #entries: KeptEntries;
  readonly #options: Required<Omit<MemoryStoreOptions, 'file' | 'entries'>>;
  #replay: (() => Promise<void>) | undefined;
  #replayed: Promise<void> | undefined;

  constructor(options: MemoryStoreOptions) {
    this.#options = { entryCountMax: 100_000, epochLifetimeMs, ...options };
    this.#entries = new KeptEntries(options.entries ?? new Map(), options.file);
  }

  async create(
    given: NewSession,
    sessionCountMax: number,
    nowMs: number,
  ): Promise<{ session: SessionRecord; ended: SessionRecord[] } | 'tombstoned'> {
    const session = storable(given, nowMs);
    await this.#trusted();
    return this.#atomically(nowMs, () => this.#create(session, sessionCountMax, nowMs));
  }

  #create(session: NewSession, sessionCountMax: number, nowMs: number): { session: SessionRecord; ended: SessionRecord[] } | 'tombstoned' {
    if (this.#entries.size >= this.#options.entryCountMax) throw new StoreUnavailable('the in-memory session store is full');
    const { tag, hash, handle, subject } = session;
    if (this.#dead(tag, hash) || this.#dead(tag, handle)) return 'tombstoned';
    const epoch = this.#epoch(tag, subject);
    if (session.epoch !== undefined && session.epoch < epoch) return 'tombstoned';
    this.#raise(tag, subject, session.epoch ?? epoch, nowMs);

    const present = this.#liveByHandle(tag, subject, handle, nowMs);
    if (present?.hash === hash) return { session: present, ended: [] };
    const taken = this.#entries.get(sessionKey(tag, hash));
    if (taken?.kind === 'session' && taken.record.handle !== handle) throw new Error('two sessions of one token hash');
    if (present !== undefined) this.#end(present, present.hash, nowMs);

    const others = this.#liveOf(tag, subject, nowMs).sort(byActivity);
    const ended = others.slice(Math.max(0, sessionCountMax - 1)).reverse();
    for (const idleLongest of ended) this.#end(idleLongest, idleLongest.handle, nowMs);

    const record: SessionRecord = { ...session, epoch: session.epoch ?? epoch };
    this.#put(record);
    const index = this.#subject(tag, subject, nowMs);
    index.hashes.set(handle, hash);
    index.untilMs = Math.max(index.untilMs, record.expiresAtMs);
    this.#entries.changed(subjectKey(tag, subject));
    return { session: record, ended };
  }

  async resolve(key: TokenKey, nowMs: number, touch: { readonly idleTimeoutMs: number } | undefined): Promise<SessionRecord | undefined> {
    await this.#trusted();
    return this.#reading(nowMs, () => this.#resolve(key, nowMs, touch));
  }

  #resolve(key: TokenKey, nowMs: number, touch: { readonly idleTimeoutMs: number } | undefined): SessionRecord | undefined {
    const record = this.#live(key, nowMs);
    if (record === undefined || touch === undefined || !isTouchDue(record, nowMs)) return record;
    const touched = { ...record, lastSeenAtMs: nowMs, idleExpiresAtMs: Math.min(nowMs + touch.idleTimeoutMs, record.expiresAtMs) };
    this.#put(touched);
    return touched;
  }

  async rotate(key: TokenKey, successorHash: string, authenticatedAtMs: number, nowMs: number): Promise<SessionRecord | undefined> {
    await this.#trusted();
    return this.#atomically(nowMs, () => this.#rotate(key, successorHash, authenticatedAtMs, nowMs));
  }

  #rotate(key: TokenKey, successorHash: string, authenticatedAtMs: number, nowMs: number): SessionRecord | undefined {
    const record = this.#live(key, nowMs);
    if (record === undefined || this.#dead(key.tag, successorHash) || this.#entries.has(sessionKey(key.tag, successorHash)))
      return undefined;
    this.#end(record, record.hash, nowMs);
    const successor = { ...record, hash: successorHash, authenticatedAtMs };
    this.#put(successor);
    this.#subject(key.tag, record.subject, nowMs).hashes.set(record.handle, successorHash);
    this.#entries.changed(subjectKey(key.tag, record.subject));
    return successor;
  }

  async refresh(request: RefreshRequest, nowMs: number): Promise<{ verdict: RefreshVerdict; session: SessionRecord } | undefined> {
    await this.#trusted();
    return this.#atomically(nowMs, () => this.#refresh(request, nowMs));
  }

  #refresh(
    { key, generation, proof, touch }: RefreshRequest,
    nowMs: number,
  ): { verdict: RefreshVerdict; session: SessionRecord } | undefined {
    const record = this.#live(key, nowMs);
    if (record === undefined) return undefined;
    const verdict = judgeRefresh(record, generation, proof, nowMs);
    if (verdict !== 'rotated') return { verdict, session: record };
    const due = touch !== undefined && isTouchDue(record, nowMs);
    const session = {
      ...record,
      ...afterRefresh(record, generation, proof, nowMs),
      ...(due && { lastSeenAtMs: nowMs, idleExpiresAtMs: Math.min(nowMs + touch.idleTimeoutMs, record.expiresAtMs) }),
    };
    this.#put(session);
    return { verdict, session };
  }

  async revoke(tombstone: Tombstone, nowMs: number): Promise<SessionRecord | undefined> {
    return this.#atomically(nowMs, () => {
      const record = this.#liveByHandle(tombstone.tag, tombstone.subject, tombstone.name, nowMs);
      if (record !== undefined) this.#end(record, record.handle, nowMs);
      this.#bury(tombstone.tag, tombstone.name, tombstone.untilMs, nowMs);
      return record;
    });
  }

  async buryToken(tombstone: Tombstone, nowMs: number): Promise<void> {
    this.#atomically(nowMs, () => {
      const record = this.#live({ tag: tombstone.tag, hash: tombstone.name }, nowMs);
      if (record !== undefined) this.#end(record, record.hash, nowMs);
      this.#bury(tombstone.tag, tombstone.name, tombstone.untilMs, nowMs);
    });
  }

  async raiseEpoch(tag: string, subject: string, epoch: number | undefined, nowMs: number): Promise<number> {
    return this.#atomically(nowMs, () => {
      this.#raise(tag, subject, epoch ?? Math.max(this.#epoch(tag, subject) + 1, nowMs), nowMs);
      return this.#epoch(tag, subject);
    });
  }

  async list(tag: string, subject: string, nowMs: number): Promise<SessionRecord[]> {
    await this.#trusted();
    return this.#reading(nowMs, () => this.#liveOf(tag, subject, nowMs).sort(byActivity));
  }

  async incarnation(): Promise<string> {
    return this.#options.incarnation;
  }

  onIncarnationChange(replay: (incarnation: string) => Promise<void>): void {
    this.#replay = () => replay(this.#options.incarnation);
    this.#replayed = undefined;
  }

  async close(): Promise<void> {
    this.#entries.close();
  }

  /**
   * Writes the operation's changes before it answers. If the write fails, the operation is not acknowledged, and its changes go out with the next.
   */
  #atomically<Result>(nowMs: number, operation: () => Result): Result {
    this.#entries.forgetSome(nowMs);
    const result = operation();
    this.#entries.write(nowMs);
    return result;
  }

  /** A read's changes (a touch, forgotten entries) are no promise, so a full disk does not hold back its answer. */
  #reading<Result>(nowMs: number, operation: () => Result): Result {
    this.#entries.forgetSome(nowMs);
    const result = operation();
    this.#entries.writeIfPossible(nowMs);
    return result;
  }

  #live({ tag, hash }: TokenKey, nowMs: number): SessionRecord | undefined {
    const entry = this.#entries.get(sessionKey(tag, hash));
    if (entry?.kind !== 'session') return undefined;
    const { record } = entry;
    const index = this.#entries.get(subjectKey(tag, record.subject));
    const person = index?.kind === 'subject' ? { epoch: index.epoch, listedHash: index.hashes.get(record.handle) } : noIndex;
    return liveRecord(hash, { record, tombstoned: this.#dead(tag, hash) || this.#dead(tag, record.handle), ...person }, nowMs);
  }

  /** The single place that checks for tombstones. */
  #dead(tag: string, name: string): boolean {
    return this.#entries.has(tombstoneKey(tag, name));
  }

  #liveByHandle(tag: string, subject: string, handle: string, nowMs: number): SessionRecord | undefined {
    const index = this.#entries.get(subjectKey(tag, subject));
    const hash = index?.kind === 'subject' ? index.hashes.get(handle) : undefined;
    return hash === undefined ? undefined : this.#live({ tag, hash }, nowMs);
  }

  /** Drops index entries that are no longer live. */
  #liveOf(tag: string, subject: string, nowMs: number): SessionRecord[] {
    const index = this.#entries.get(subjectKey(tag, subject));
    if (index?.kind !== 'subject') return [];
    const records: SessionRecord[] = [];
    for (const [handle, hash] of index.hashes) {
      const record = this.#live({ tag, hash }, nowMs);
      if (record !== undefined) records.push(record);
      else {
        index.hashes.delete(handle);
        this.#entries.changed(subjectKey(tag, subject));
        this.#entries.delete(sessionKey(tag, hash));
      }
    }
    return records;
  }

  /** Takes a record away and buries its hash (a rotation) or its handle (an end). */
  #end(record: SessionRecord, name: string, nowMs: number): void {
    this.#entries.delete(sessionKey(record.tag, record.hash));
    const index = this.#entries.get(subjectKey(record.tag, record.subject));
    if (index?.kind === 'subject') index.hashes.delete(record.handle);
    this.#entries.changed(subjectKey(record.tag, record.subject));
    this.#bury(record.tag, name, record.expiresAtMs, nowMs);
  }

  #bury(tag: string, name: string, untilMs: number, nowMs: number): void {
    const key = tombstoneKey(tag, name);
    const latest = Math.max(untilMs, this.#entries.get(key)?.untilMs ?? 0);
    if (latest > nowMs) this.#entries.set(key, { kind: 'tombstone', untilMs: latest });
  }

  #epoch(tag: string, subject: string): number {
    const entry = this.#entries.get(subjectKey(tag, subject));
    return entry?.kind === 'subject' ? entry.epoch : 0;
  }

  #raise(tag: string, subject: string, epoch: number, nowMs: number): void {
    const index = this.#subject(tag, subject, nowMs);
    index.untilMs = Math.max(index.untilMs, nowMs + this.#options.epochLifetimeMs);
    this.#entries.changed(subjectKey(tag, subject));
    if (epoch <= index.epoch) return;
    index.epoch = epoch;
    this.#liveOf(tag, subject, nowMs);
  }

  #subject(tag: string, subject: string, nowMs: number): Extract<Kept, { kind: 'subject' }> {
    const key = subjectKey(tag, subject);
    const found = this.#entries.get(key);
    if (found?.kind === 'subject') return found;
    const made = { kind: 'subject' as const, epoch: 0, hashes: new Map<string, string>(), untilMs: nowMs + this.#options.epochLifetimeMs };
    this.#entries.set(key, made);
    return made;
  }

  #put(record: SessionRecord): void {
    this.#entries.set(sessionKey(record.tag, record.hash), { kind: 'session', record, untilMs: record.idleExpiresAtMs });
  }

  /** Replays once for all waiting callers. A failure is not remembered. */
  async #trusted(): Promise<void> {
    if (this.#replay === undefined) return;
    this.#replayed ??= this.#replay();
    try {
      await this.#replayed;
    } catch (cause) {
      this.#replayed = undefined;
      throw new StoreUnavailable('revocations could not be replayed', { cause });
    }
  }
}
