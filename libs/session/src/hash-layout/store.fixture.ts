/**
 * The store of builds before decision 0037, as it was: hashes, and a script for each read. Tests let it run beside this build. It can go when no such
 * build runs any more.
 */
import { createHash } from 'node:crypto';
import { sessionKey, slotPrefix, subjectKey } from '../keys.ts';
import { Lateness } from '../session.lateness.ts';
import { epochLifetimeMs } from '../session.limits.ts';
import { storable } from '../session.record.ts';
import { isReply, unavailable } from '../session.redis.replies.ts';
import { Servers } from '../session.servers.ts';
import type { RedisConnection } from '../session.servers.ts';
import type { NewSession, RefreshRequest, RefreshVerdict, SessionRecord } from '../session.store.ts';
import { type SessionStore, StoreUnavailable, type TokenKey, type TokenMode, type Tombstone } from '../session.store.ts';
import { recordFields, type ScriptName, scripts } from './scripts.fixture.ts';

/** The first attempt finds an unknown server, the second finds it told, the third is for another shard that changed meanwhile. */
const trustRoundCountMax = 3;

const digests = Object.fromEntries(
  Object.entries(scripts).map(([name, lua]) => [name, createHash('sha1').update(lua).digest('hex')]),
) as Record<ScriptName, string>;

/** @param redis tuned so that every command settles (libs/platform `openRedisByUrl`); closed by `close()` */
export class HashLayoutStore implements SessionStore {
  readonly #redis: RedisConnection;
  readonly #servers: Servers;
  readonly #lateness = new Lateness();
  readonly #epochLifetimeMs: number;

  constructor(redis: RedisConnection, options: { readonly epochLifetimeMs?: number } = {}) {
    this.#redis = redis;
    this.#servers = new Servers(redis);
    this.#epochLifetimeMs = options.epochLifetimeMs ?? epochLifetimeMs;
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
    return record === undefined ? undefined : { verdict: verdict as RefreshVerdict, session: decode(record) };
  }

  async revoke({ tag, name, subject, untilMs }: Tombstone, nowMs: number): Promise<SessionRecord | undefined> {
    const [record] = await this.#telling('revoke', tag, name, [subjectKey(tag, subject)], [nowMs, name, subject, untilMs]);
    return record === undefined ? undefined : decode(record);
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
    return (await this.#trusting('list', tag, subject, [subjectKey(tag, subject)], [nowMs, subject])).map(decode);
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
      const [, ...answer] = await this.#run(name, tag, about, keys, [...args, this.#servers.trusted()]);
      if (answer.length > 0) return answer.slice(1);
      await this.#servers.tellEverything().catch((error: unknown) => {
        throw unavailable(error);
      });
    }
    throw new StoreUnavailable('the store changed while revocations were replayed');
  }

  /** For operations that are right at any time. A command told to a server that was replaced meanwhile is lost, so it fails. */
  async #telling(name: ScriptName, tag: string, about: string, keys: string[], args: (string | number)[]): Promise<unknown[]> {
    const [server, , ...answer] = await this.#run(name, tag, about, keys, [...args, '*']);
    if (!(await this.#servers.isCurrent(String(server)))) throw new StoreUnavailable('told to a server that others have replaced');
    return answer;
  }

  /** @returns the server's name, then nothing (not trusted) or the repeated question and the answer */
  async #run(name: ScriptName, tag: string, about: string, keys: string[], args: (string | number)[]): Promise<unknown[]> {
    const answer = await this.#evaluate(name, keys, [slotPrefix(tag), ...args]);
    if (Array.isArray(answer) && (answer.length === 1 || answer[1] === about)) return answer;
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
      throw unavailable(error);
    }
  }
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
