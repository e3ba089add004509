/**
 * Puts everything that one turn of the event loop asks of Redis into one write for each socket. The partitions of a fetch arrive in one
 * turn, so they are loaded by one MGET and written by one packet, with a script for each partition. Each call keeps its own answer: a
 * script that fails, or whose place has moved, fails alone. In a cluster an MGET may name one slot only, so there each call has its own.
 */
import type { RedisConnection } from '@cloakroom/platform/redis';

/** Keys of one MGET: as many as one batch has carts (libs/event-log). A longer one would hold up the other clients of the server. */
const keysPerReadMax = 500;

interface Read {
  readonly keys: readonly string[];
  readonly resolve: (found: (Buffer | null)[]) => void;
  readonly reject: (reason: unknown) => void;
}

export class RedisTurn {
  readonly #redis: RedisConnection;
  #reads: Read[] = [];
  #writes: (() => void)[] = [];

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /** Reads keys of one slot in one step. */
  read(keys: readonly string[]): Promise<(Buffer | null)[]> {
    return new Promise((resolve, reject) => {
      this.#soon();
      this.#reads.push({ keys, resolve, reject });
    });
  }

  /** @param send issues one command, in the same turn */
  write<T>(send: () => Promise<T>): Promise<T> {
    return new Promise((resolve) => {
      this.#soon();
      // Resolves with the command, and rejects when issuing it throws.
      this.#writes.push(() => resolve(new Promise<T>((sent) => sent(send()))));
    });
  }

  /** At the end of the turn, when each socket that had data has been read. */
  #soon(): void {
    if (this.#reads.length + this.#writes.length === 0) setImmediate(() => this.#flush());
  }

  #flush(): void {
    const [reads, writes] = [this.#reads, this.#writes];
    [this.#reads, this.#writes] = [[], []];
    // A connection that is down has no stream. Its commands fail at once.
    const streams = [...nodesOf(this.#redis)].map(({ stream }) => stream as Corked | undefined);
    for (const stream of streams) stream?.cork();
    try {
      for (const group of 'slots' in this.#redis ? reads.map((one) => [one]) : groupsOf(reads)) this.#send(group);
      for (const write of writes) write();
    } finally {
      for (const stream of streams) stream?.uncork();
    }
  }

  #send(group: readonly Read[]): void {
    const keys = group.flatMap((read) => read.keys);
    this.#redis.mgetBuffer(keys).then(
      (found) => {
        let from = 0;
        for (const read of group) read.resolve(found.slice(from, (from += read.keys.length)));
      },
      (error: unknown) => {
        for (const read of group) read.reject(error);
      },
    );
  }
}

interface Corked {
  cork(): void;
  uncork(): void;
}

const nodesOf = (redis: RedisConnection) => ('slots' in redis ? redis.nodes('master') : [redis]);

/** The keys of one read stay in one MGET, because its carts must fit its place. */
function groupsOf(reads: readonly Read[]): Read[][] {
  const groups: Read[][] = [];
  let count = Number.POSITIVE_INFINITY;
  for (const read of reads) {
    count += read.keys.length;
    if (count > keysPerReadMax) {
      groups.push([]);
      count = read.keys.length;
    }
    groups.at(-1)!.push(read);
  }
  return groups;
}
