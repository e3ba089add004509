/**
 * The session store on Redis (7.0 or later, or Valkey 7.2). Nothing is read, thought about and written back here: each operation is one script.
 *
 * Three subtleties are this file's:
 *
 * 1. A restarted or failed-over Redis may have lost the last second of acknowledged revocations (AOF everysec, asynchronous replication). Every new
 *    connection may be to such a server. So the operations that trust the store are held back after each connect until INFO has said which server
 *    it is and, if it is another one, the registered replay has run. A connection that ends while an operation is under way makes the answer
 *    unknown, even if one came: it may be the new server's.
 * 2. A cancelled or desynchronised connection can deliver the answer to somebody else's question (OpenAI, March 2023). Every script repeats what
 *    it was asked about; an answer that does not is never given on, and the connection is dropped.
 * 3. EVALSHA first: a script is sent whole only to a server that does not have it (after a restart), which has then done nothing yet.
 */
import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { sessionKey, slotPrefix, subjectKey } from './keys.ts';
import { epochLifetimeMs } from './session.limits.ts';
import { storable } from './session.record.ts';
import { recordFields, scripts } from './session.scripts.ts';
import type { ScriptName } from './session.scripts.ts';
import { StoreUnavailable } from './session.store.ts';
import type {
  NewSession,
  RefreshRequest,
  RefreshVerdict,
  SessionRecord,
  SessionStore,
  TokenKey,
  TokenMode,
  Tombstone,
} from './session.store.ts';

export interface RedisStoreOptions {
  /** How long a subject's epoch is kept; beyond every absolute limit. Shorter only in tests. */
  readonly epochLifetimeMs?: number;
  /** Wraps each script's call: for traces. */
  readonly around?: <Result>(script: ScriptName, call: () => Promise<Result>) => Promise<Result>;
}

const digests = Object.fromEntries(
  Object.entries(scripts).map(([name, lua]) => [name, createHash('sha1').update(lua).digest('hex')]),
) as Record<ScriptName, string>;

/** @param redis tuned so that every command settles (libs/platform `openRedis`); closed by `close()` */
export class RedisSessionStore implements SessionStore {
  readonly #redis: Redis;
  readonly #epochLifetimeMs: number;
  readonly #around: NonNullable<RedisStoreOptions['around']>;
  /** Counts connections: what was learned under one number means nothing under the next. */
  #connection = 0;
  #replay: ((incarnation: string) => Promise<void>) | undefined;
  /** The incarnation whose revocations are known to be in the store. */
  #replayed: string | undefined;
  #trusted: Promise<void> | undefined;
  readonly #distrust = (): void => {
    this.#connection += 1;
    this.#trusted = undefined;
  };

  constructor(redis: Redis, options: RedisStoreOptions = {}) {
    this.#redis = redis;
    this.#epochLifetimeMs = options.epochLifetimeMs ?? epochLifetimeMs;
    this.#around = options.around ?? ((_script, call) => call());
    // Both: 'close' so that an answer under way is not believed, 'ready' so that a client opened before us is asked again.
    redis.on('close', this.#distrust);
    redis.on('ready', this.#distrust);
  }

  async create(
    given: NewSession,
    sessionCountMax: number,
    nowMs: number,
  ): Promise<{ session: SessionRecord; ended: SessionRecord[] } | 'tombstoned'> {
    const session = storable(given, nowMs);
    const { tag, hash, epoch } = session;
    const limits = [sessionCountMax, this.#epochLifetimeMs, epoch === undefined ? '' : '1'];
    const fields = encode({ ...session, epoch: epoch ?? 0 });
    const [what, record, ...ended] = await this.#trusting('create', tag, hash, [sessionKey(tag, hash)], [nowMs, ...limits, ...fields]);
    return what === 'tombstoned' ? what : { session: decode(record), ended: ended.map(decode) };
  }

  async resolve(key: TokenKey, nowMs: number, touch: { readonly idleTimeoutMs: number } | undefined): Promise<SessionRecord | undefined> {
    const [record] = await this.#trusting(
      'resolve',
      key.tag,
      key.hash,
      [sessionKey(key.tag, key.hash)],
      [nowMs, key.hash, touch?.idleTimeoutMs ?? ''],
    );
    return record === undefined ? undefined : decode(record);
  }

  async rotate(key: TokenKey, successorHash: string, authenticatedAtMs: number, nowMs: number): Promise<SessionRecord | undefined> {
    const keys = [sessionKey(key.tag, key.hash), sessionKey(key.tag, successorHash)];
    const [record] = await this.#trusting('rotate', key.tag, successorHash, keys, [nowMs, key.hash, successorHash, authenticatedAtMs]);
    return record === undefined ? undefined : decode(record);
  }

  async refresh(
    { key, generation, proved, touch }: RefreshRequest,
    nowMs: number,
  ): Promise<{ verdict: RefreshVerdict; session: SessionRecord } | undefined> {
    const args = [nowMs, key.hash, generation, proved ? '1' : '', touch?.idleTimeoutMs ?? ''];
    const [verdict, record] = await this.#trusting('refresh', key.tag, key.hash, [sessionKey(key.tag, key.hash)], args);
    return record === undefined ? undefined : { verdict: verdict as RefreshVerdict, session: decode(record) };
  }

  async revoke({ tag, name, subject, untilMs }: Tombstone, nowMs: number): Promise<SessionRecord | undefined> {
    const [record] = await this.#run('revoke', tag, name, [subjectKey(tag, subject)], [nowMs, name, subject, untilMs]);
    return record === undefined ? undefined : decode(record);
  }

  async buryToken({ tag, name, untilMs }: Tombstone, nowMs: number): Promise<void> {
    await this.#run('buryToken', tag, name, [sessionKey(tag, name)], [nowMs, name, untilMs]);
  }

  async raiseEpoch(tag: string, subject: string, epoch: number | undefined, nowMs: number): Promise<number> {
    const [raised] = await this.#run(
      'raiseEpoch',
      tag,
      subject,
      [subjectKey(tag, subject)],
      [nowMs, subject, epoch ?? '', this.#epochLifetimeMs],
    );
    return Number(raised);
  }

  async list(tag: string, subject: string, nowMs: number): Promise<SessionRecord[]> {
    return (await this.#trusting('list', tag, subject, [subjectKey(tag, subject)], [nowMs, subject])).map(decode);
  }

  /**
   * The server's run id and replication id: the first is new after a restart, the second after a promotion without one. Asked anew each time:
   * whoever looks whether the store is there (readiness) must not be answered from memory while it hangs.
   * A flushed database keeps both, and need not be noticed: no session is left in it. (Redis Cluster will need the ids of all primaries.)
   */
  async incarnation(): Promise<string> {
    try {
      return await this.#askIncarnation();
    } catch (error) {
      throw unavailable(error);
    }
  }

  onIncarnationChange(replay: (incarnation: string) => Promise<void>): void {
    this.#replay = replay;
    this.#replayed = undefined;
    this.#trusted = undefined;
  }

  async close(): Promise<void> {
    this.#redis.off('close', this.#distrust);
    this.#redis.off('ready', this.#distrust);
    // QUIT lets answers under way arrive; a server that is gone cannot be asked politely.
    await this.#redis.quit().catch(() => this.#redis.disconnect());
  }

  async #askIncarnation(): Promise<string> {
    const info = (await this.#redis.info('server')) + (await this.#redis.info('replication'));
    const runId = /^run_id:(\S+)/m.exec(info)?.[1];
    const replicationId = /^master_replid:(\S+)/m.exec(info)?.[1];
    if (runId === undefined || replicationId === undefined) throw new StoreUnavailable('Redis does not tell its run id');
    return `${runId}.${replicationId}`;
  }

  /** For operations that believe what the store holds. */
  async #trusting(name: ScriptName, tag: string, about: string, keys: string[], args: (string | number)[]): Promise<unknown[]> {
    await (this.#trusted ??= this.#catchUp());
    const connection = this.#connection;
    const answer = await this.#run(name, tag, about, keys, args);
    if (connection !== this.#connection) throw new StoreUnavailable('the connection changed while an answer was under way');
    return answer;
  }

  /** One at a time for all who wait; a failure is not remembered. */
  async #catchUp(): Promise<void> {
    const connection = this.#connection;
    try {
      const incarnation = await this.incarnation();
      if (this.#replay !== undefined && this.#replayed !== incarnation) {
        await this.#replay(incarnation);
        if (connection === this.#connection) this.#replayed = incarnation;
      }
      if (connection !== this.#connection) throw new StoreUnavailable('the connection changed while revocations were replayed');
    } catch (error) {
      if (connection === this.#connection) this.#trusted = undefined;
      throw unavailable(error);
    }
  }

  async #run(name: ScriptName, tag: string, about: string, keys: string[], args: (string | number)[]): Promise<unknown[]> {
    const answer = await this.#around(name, () => this.#evaluate(name, keys, [slotPrefix(tag), ...args]));
    if (Array.isArray(answer) && answer[0] === about) return answer.slice(1);
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
      // A primary that became a replica under a living connection: whoever answers next is another server.
      if (isReply(error, 'READONLY')) this.#redis.disconnect(true);
      throw unavailable(error);
    }
  }
}

/** Replies of a server that is there but cannot do it now; all others are defects of ours and stay what they are. */
const passingReplies = [
  'READONLY',
  'LOADING',
  'MASTERDOWN',
  'CLUSTERDOWN',
  'TRYAGAIN',
  'MISCONF',
  'NOREPLICAS',
  'OOM',
  'BUSY',
  'UNKILLABLE',
  'NOAUTH',
  'WRONGPASS',
];

const isReply = (error: unknown, code: string): boolean => error instanceof Error && error.message.startsWith(`${code} `);

/** Whatever is neither an error reply of Redis nor a defect here is a connection that failed or took too long. */
function unavailable(error: unknown): unknown {
  if (error instanceof StoreUnavailable || error instanceof TypeError || error instanceof RangeError) return error;
  if (error instanceof Error && error.name === 'ReplyError' && !passingReplies.some((code) => isReply(error, code))) return error;
  return new StoreUnavailable('the session store does not answer', { cause: error });
}

function encode(r: SessionRecord): (string | number)[] {
  const who = [r.hash, r.tag, r.handle, r.subject, r.state, r.mode, r.epoch, r.globalEpoch];
  return [
    ...who,
    r.createdAtMs,
    r.authenticatedAtMs,
    r.lastSeenAtMs,
    r.idleExpiresAtMs,
    r.expiresAtMs,
    r.device,
    r.claimedGuestCart,
    r.region,
    r.generation,
    r.rotatedAtMs,
    r.amr,
  ];
}

function decode(values: unknown): SessionRecord {
  if (!Array.isArray(values) || values.length !== recordFields.length) throw new Error('a session record has another shape');
  const [
    hash,
    tag,
    handle,
    subject,
    state,
    mode,
    epoch,
    globalEpoch,
    created,
    authenticated,
    seen,
    idle,
    expires,
    device,
    cart,
    region,
    generation,
    rotated,
    amr,
  ] = values as string[];
  return {
    hash: hash!,
    tag: tag!,
    handle: handle!,
    subject: subject!,
    state: state === 'user' ? 'user' : 'guest',
    mode: mode as TokenMode,
    epoch: Number(epoch),
    globalEpoch: Number(globalEpoch),
    createdAtMs: Number(created),
    authenticatedAtMs: Number(authenticated),
    lastSeenAtMs: Number(seen),
    idleExpiresAtMs: Number(idle),
    expiresAtMs: Number(expires),
    device: device!,
    claimedGuestCart: cart!,
    region: region!,
    generation: Number(generation),
    rotatedAtMs: Number(rotated),
    amr: amr!,
  };
}
