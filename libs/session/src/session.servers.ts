/**
 * Tracks the servers that have been told every revocation, and may be believed.
 *
 * A server is named by its replication id (`master_replid`). The id is new at each start and at each promotion, hence after every event by which a
 * primary can lose an acknowledged write. (A replica has its primary's id, but answers no script. FLUSHALL keeps the id: no session is left then.)
 * Every script answers with it, from within the call, so the caller notices a change without an event.
 *
 * A whole set of servers gains trust at once: ask all primaries for their names, tell every revocation to the slots' owners, ask again.
 *
 * - Why ask for the names twice: if the same servers own the slots before and after, the owner of each slot was told that slot's revocations. A slot
 *   that moved between two of them took its keys along. If a server was replaced meanwhile, the set differs, and no server gains trust.
 * - Why each told server is checked too (`isCurrent`): in a cut, a primary that was already voted out may still acknowledge a revocation. It notices
 *   only after cluster-node-timeout, and the revocation is lost with it. The replay to its successor may have read the database just before. So a
 *   told revocation counts only at a server of the set that is being told everything, or was. The process looks for an unknown server among the
 *   owners. If it is one, all servers that are not owners lose their trust.
 * - A bound remains, not a proof: two replicas of auth on the two sides of a cut (docs/decisions/0010-*).
 */
import type { Cluster, Redis } from 'ioredis';
import { StoreUnavailable } from './session.store.ts';

export type RedisConnection = Redis | Cluster;

/** The form in which the scripts cut it: 64 bits of a random number. */
const nameLength = 16;
const nameField = '\nmaster_replid:';
const namePattern = /^[0-9a-f]{16}$/;

/**
 * The name of the server that gave this `INFO replication`, if it is a primary. A primary gets its name when it becomes one and loses it for good when
 * it ceases to be one. So whoever asks for it after reads, on the same connection, knows that these reads had the same server.
 */
export function primaryOf(info: string): string | undefined {
  const at = info.indexOf(nameField) + nameField.length;
  const name = info.slice(at, at + nameLength);
  return info.includes('\nrole:master\r') && namePattern.test(name) ? name : undefined;
}

/** @param trusted as of `Servers.trusted` */
export const isTrusted = (name: string, trusted: string): boolean => trusted === '*' || trusted.includes(name);

type Replay = (incarnation: string) => Promise<void>;

export class Servers {
  readonly #redis: RedisConnection;
  #replay: Replay | undefined;
  #trusted: ReadonlySet<string> = new Set();
  /** The servers that are being told everything. */
  #candidates: ReadonlySet<string> | undefined;
  #telling: Promise<void> | undefined;
  #asking: Promise<ReadonlySet<string>> | undefined;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /** For a script's last argument, and for reads: the names that may be believed from now on, or '*' for any. */
  trusted(): string {
    return this.#replay === undefined ? '*' : [...this.#trusted].join(' ');
  }

  onChange(replay: Replay): void {
    this.#replay = replay;
    this.#trusted = new Set();
  }

  /** @throws StoreUnavailable when none can be reached */
  async incarnation(): Promise<string> {
    return nameOf(await this.#owners());
  }

  /** Runs once at a time for all waiting callers. A failure is not remembered. @throws when it failed, or when the servers were replaced meanwhile */
  tellEverything(): Promise<void> {
    this.#telling ??= this.#tell().finally(() => {
      this.#telling = undefined;
      this.#candidates = undefined;
    });
    return this.#telling;
  }

  async #tell(): Promise<void> {
    const replay = this.#replay;
    if (replay === undefined) return;
    const before = await this.#askOwners();
    this.#candidates = before;
    await replay(nameOf(before));
    const after = await this.#askOwners();
    if (nameOf(before) !== nameOf(after)) throw new StoreUnavailable('servers were replaced while revocations were replayed');
    this.#trusted = before;
  }

  /** Whether the told server was one that owns slots. */
  async isCurrent(server: string): Promise<boolean> {
    if (this.#replay === undefined) return true;
    if (this.#candidates !== undefined) return this.#candidates.has(server);
    if (this.#trusted.has(server)) return true;
    const owners = await this.#owners();
    this.#trusted = new Set([...this.#trusted].filter((name) => owners.has(name)));
    return owners.has(server);
  }

  /** One question for all waiting callers. Its answer may be a moment old: a server that took over since is refused, and asked about again. */
  async #owners(): Promise<ReadonlySet<string>> {
    this.#asking ??= this.#askOwners().finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  async #askOwners(): Promise<ReadonlySet<string>> {
    const answers = await Promise.allSettled((await ownersOf(this.#redis)).map(askName));
    const names = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    // In a cluster that lost a range of slots, the other ranges' owners are enough to go on.
    if (names.length === 0) throw new StoreUnavailable('no server of the session store tells its name', { cause: answers[0] });
    return new Set(names);
  }
}

const nameOf = (servers: ReadonlySet<string>): string => [...servers].toSorted().join('.');

async function askName(server: Redis): Promise<string> {
  const name = /^master_replid:(\w+)/m.exec(await server.info('replication'))?.[1];
  if (name === undefined) throw new StoreUnavailable('Redis does not tell its replication id');
  return name.slice(0, nameLength);
}

/** The owners of slots, as the nodes report now. */
async function ownersOf(redis: RedisConnection): Promise<Redis[]> {
  if (!('slots' in redis)) return [redis];
  // Asked twice, because the first refresh may have joined an earlier question. It fails while all nodes are away. Then the known nodes are asked,
  // and do not answer.
  for (let time = 0; time < 2; time += 1) await new Promise<void>((resolve) => redis.refreshSlotsCache(() => resolve()));
  const keys = new Set(redis.slots.map(([primary]) => primary));
  return redis.nodes().filter(({ options }) => keys.has(`${options.host}:${options.port}`));
}
