/**
 * The session store on Redis (7.0 or later, or Valkey 7.2), one server or a cluster. Nothing is read, thought about and written back here: each
 * operation that writes is one script in one slot. A plain read is one MGET (session.reads.ts). Where its answer proves nothing, or a touch is due,
 * the script `resolve` judges anew.
 *
 * Three subtleties live in this file:
 *
 * 1. A server that restarted or took over may have lost acknowledged revocations (AOF everysec, asynchronous replication). Each call carries the
 *    servers that are known to have been told all of them, and a script does nothing on any other. So the very call that would have believed the
 *    server notices, whatever connections, slot maps and events say. session.servers.ts has the consequences.
 * 2. A cancelled or desynchronised connection can deliver the answer to another caller's question (OpenAI, March 2023). Every script repeats its
 *    question. The store never passes on an answer that does not, and drops the connection.
 * 3. EVALSHA comes first. The store sends a whole script only to a server that lacks it (after a restart), and that server has done nothing yet.
 */
import { createHash } from 'node:crypto';
import { sessionKey, slotPrefix, subjectKey } from './keys.ts';
import { epochLifetimeMs } from './session.limits.ts';
import { Lateness } from './session.lateness.ts';
import { isTouchDue } from './session.liveness.ts';
import { storable } from './session.record.ts';
import { Reads } from './session.reads.ts';
import { pack, unpack } from './session.redis.record.ts';
import { isReply, unavailable } from './session.redis.replies.ts';
import { scripts } from './session.scripts.ts';
import type { ScriptName } from './session.scripts.ts';
import { Servers } from './session.servers.ts';
import type { RedisConnection } from './session.servers.ts';
import { StoreUnavailable } from './session.store.ts';
import type { NewSession, RefreshRequest, RefreshVerdict, SessionRecord, SessionStore, TokenKey, Tombstone } from './session.store.ts';

export interface RedisStoreOptions {
  /** How long a subject's epoch is kept; beyond every absolute limit. Shorter only in tests. */
  readonly epochLifetimeMs?: number;
  /** Wraps each call, of a script or of a plain read: for traces. */
  readonly around?: <Result>(call: ScriptName | 'read', run: () => Promise<Result>) => Promise<Result>;
  /**
   * The layout of new keys. Both are read. 'hash' is for the time in which a build from before decision 0037 runs beside this one: that one answers
   * an error to every string.
   */
  readonly layout?: SessionLayout;
  /** Told of each value that no session can be read from. */
  readonly onUnreadable?: (why: Unreadable) => void;
}

export const sessionLayouts = ['packed', 'hash'] as const;
export type SessionLayout = (typeof sessionLayouts)[number];

/** damaged: it counts as absent. newer: a later build wrote it. The call fails, so that nobody is signed out. */
export type Unreadable = 'damaged' | 'newer';

/** The first attempt finds an unknown server, the second finds it told, the third is for another shard that changed meanwhile. */
const trustRoundCountMax = 3;

const digests = Object.fromEntries(
  Object.entries(scripts).map(([name, lua]) => [name, createHash('sha1').update(lua).digest('hex')]),
) as Record<ScriptName, string>;

/** @param redis tuned so that every command settles (libs/platform `openRedisByUrl`); closed by `close()` */
export class RedisSessionStore implements SessionStore {
  readonly #redis: RedisConnection;
  readonly #servers: Servers;
  readonly #lateness = new Lateness();
  readonly #epochLifetimeMs: number;
  readonly #around: NonNullable<RedisStoreOptions['around']>;
  readonly #layout: SessionLayout;
  readonly #onUnreadable: (why: Unreadable) => void;
  readonly #reads: Reads;

  constructor(redis: RedisConnection, options: RedisStoreOptions = {}) {
    this.#redis = redis;
    this.#servers = new Servers(redis);
    this.#epochLifetimeMs = options.epochLifetimeMs ?? epochLifetimeMs;
    this.#around = options.around ?? ((_call, run) => run());
    this.#layout = options.layout ?? 'packed';
    this.#onUnreadable = options.onUnreadable ?? (() => undefined);
    this.#reads = new Reads(redis, this.#servers);
  }

  async create(
    given: NewSession,
    sessionCountMax: number,
    nowMs: number,
  ): Promise<{ session: SessionRecord; ended: SessionRecord[] } | 'tombstoned'> {
    const session = storable(given, nowMs);
    const { tag, hash, epoch } = session;
    const limits = [sessionCountMax, this.#epochLifetimeMs, epoch === undefined ? '' : '1'];
    const packed = pack({ ...session, epoch: epoch ?? 0 });
    const [what, record, ...ended] = await this.#trusting('create', tag, hash, [sessionKey(tag, hash)], [nowMs, ...limits, packed]);
    return what === 'tombstoned' ? what : { session: this.#known(record, tag), ended: ended.map((one) => decode(one, tag)) };
  }

  async resolve(key: TokenKey, nowMs: number, touch: { readonly idleTimeoutMs: number } | undefined): Promise<SessionRecord | undefined> {
    const read = await this.#around('read', () => this.#reads.look(key, nowMs));
    if (read !== 'doubt' && !(read !== undefined && touch !== undefined && isTouchDue(read, nowMs))) return read;
    const [record] = await this.#trusting(
      'resolve',
      key.tag,
      key.hash,
      [sessionKey(key.tag, key.hash)],
      [nowMs, key.hash, touch?.idleTimeoutMs ?? ''],
    );
    return record === undefined ? undefined : this.#known(record, key.tag);
  }

  async rotate(key: TokenKey, successorHash: string, authenticatedAtMs: number, nowMs: number): Promise<SessionRecord | undefined> {
    const keys = [sessionKey(key.tag, key.hash), sessionKey(key.tag, successorHash)];
    const [record] = await this.#trusting('rotate', key.tag, successorHash, keys, [nowMs, key.hash, successorHash, authenticatedAtMs]);
    return record === undefined ? undefined : this.#known(record, key.tag);
  }

  async refresh(
    { key, generation, proof, touch }: RefreshRequest,
    nowMs: number,
  ): Promise<{ verdict: RefreshVerdict; session: SessionRecord } | undefined> {
    const args = [nowMs, key.hash, generation, proof, touch?.idleTimeoutMs ?? ''];
    const { verdict, record, late } = await this.#lateness.within(async (untilMs) => {
      const answer = await this.#trusting('refresh', key.tag, key.hash, [sessionKey(key.tag, key.hash)], [...args, untilMs]);
      const [atMs, verdict, record] = answer;
      return { atMs: Number(atMs), verdict, record, late: verdict === 'late' };
    });
    if (late) throw new StoreUnavailable('a refresh was begun too late, twice');
    return record === undefined ? undefined : { verdict: verdict as RefreshVerdict, session: this.#known(record, key.tag) };
  }

  async revoke({ tag, name, subject, untilMs }: Tombstone, nowMs: number): Promise<SessionRecord | undefined> {
    const [record] = await this.#telling('revoke', tag, name, [subjectKey(tag, subject)], [nowMs, name, subject, untilMs]);
    return record === undefined ? undefined : decode(record, tag);
  }

  async buryToken({ tag, name, untilMs }: Tombstone, nowMs: number): Promise<void> {
    await this.#telling('buryToken', tag, name, [sessionKey(tag, name)], [nowMs, name, untilMs]);
  }

  async raiseEpoch(tag: string, subject: string, epoch: number | undefined, nowMs: number): Promise<number> {
    const [raised] = await this.#telling(
      'raiseEpoch',
      tag,
      subject,
      [subjectKey(tag, subject)],
      [nowMs, subject, epoch ?? '', this.#epochLifetimeMs],
    );
    return Number(raised);
  }

  async list(tag: string, subject: string, nowMs: number): Promise<SessionRecord[]> {
    return (await this.#trusting('list', tag, subject, [subjectKey(tag, subject)], [nowMs, subject])).map((one) => decode(one, tag));
  }

  /** The names of all reachable primaries. Asked anew each time: readiness must not be answered from memory while the store hangs. */
  async incarnation(): Promise<string> {
    try {
      return await this.#servers.incarnation();
    } catch (error) {
      throw unavailable(error);
    }
  }

  onIncarnationChange(replay: (incarnation: string) => Promise<void>): void {
    this.#servers.onChange(replay);
  }

  async close(): Promise<void> {
    // QUIT lets answers under way arrive. A dead server cannot be asked politely.
    await this.#redis.quit().catch(() => this.#redis.disconnect());
  }

  /** For operations that believe the store's content. */
  async #trusting(name: ScriptName, tag: string, about: string, keys: string[], args: (string | number)[]): Promise<unknown[]> {
    // Each round ends with a server told everything. If it is replaced again in the meantime, the store is not there yet.
    for (let round = 0; round < trustRoundCountMax; round += 1) {
      const [, ...answer] = await this.#run(name, tag, about, keys, [...args, this.#layout, this.#servers.trusted()]);
      if (answer.length > 0) return answer.slice(2);
      await this.#servers.tellEverything().catch((error: unknown) => {
        throw unavailable(error);
      });
    }
    throw new StoreUnavailable('the store changed while revocations were replayed');
  }

  /** For operations that are right at any time. A command told to a server that was replaced meanwhile is lost, so it fails. */
  async #telling(name: ScriptName, tag: string, about: string, keys: string[], args: (string | number)[]): Promise<unknown[]> {
    const [server, , , ...answer] = await this.#run(name, tag, about, keys, [...args, this.#layout, '*']);
    if (!(await this.#servers.isCurrent(String(server)))) throw new StoreUnavailable('told to a server that others have replaced');
    return answer;
  }

  /** @returns the server's name, then nothing (not trusted) or what could not be read, the repeated question and the answer */
  async #run(name: ScriptName, tag: string, about: string, keys: string[], args: (string | number)[]): Promise<unknown[]> {
    const answer = await this.#around(name, () => this.#evaluate(name, keys, [slotPrefix(tag), ...args]));
    if (Array.isArray(answer) && (answer.length === 1 || answer[2] === about)) {
      if (answer[1] === 'damaged') this.#onUnreadable('damaged');
      return answer;
    }
    this.#redis.disconnect(true);
    throw new StoreUnavailable('the answer belongs to another question: the connection was dropped');
  }

  async #evaluate(name: ScriptName, keys: string[], args: (string | number)[]): Promise<unknown> {
    try {
      return await this.#redis.evalsha(digests[name], keys.length, ...keys, ...args).catch(async (error: unknown) => {
        if (!isReply(error, 'NOSCRIPT')) throw error;
        return this.#redis.eval(scripts[name], keys.length, ...keys, ...args);
      });
    } catch (error) {
      // A primary became a replica under a living connection, so the known name leads elsewhere by now.
      if (isReply(error, 'READONLY')) this.#redis.disconnect(true);
      if (isReply(error, 'LAYOUT')) this.#onUnreadable('newer');
      throw unavailable(error);
    }
  }

  /** The session of an answer. The next read of it knows which keys to ask for. */
  #known(record: unknown, tag: string): SessionRecord {
    const session = decode(record, tag);
    this.#reads.remember(session);
    return session;
  }
}

function decode(record: unknown, tag: string): SessionRecord {
  const session = typeof record === 'string' ? unpack(record, tag) : undefined;
  if (session === undefined) throw new Error('a script answered with no session record');
  return session;
}
