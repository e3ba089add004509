/** Auth's metrics for an operator. No label names a person. */
import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { IdentityEventSchema, RevocationEventSchema, topics } from '@cloakroom/contracts';
import { type Clock, metrics } from '@cloakroom/platform';
import { Counter, Gauge } from 'prom-client';
import type { Database, OutboxRow } from './database/outbox.ts';

const registers = [metrics];

export const hashesWaiting = new Gauge({
  name: 'auth_password_hashes_waiting',
  help: 'Passwords that wait to be hashed or compared; at 32 the next is refused.',
  registers,
});

export const throttled = new Counter({
  name: 'auth_throttled_total',
  help: 'Attempts refused by a count: of an account, an address, a known device, or of new accounts and guests.',
  labelNames: ['kind'] as const,
  registers,
});

export const refreshes = new Counter({
  name: 'auth_refreshes_total',
  help: 'Refresh tokens by what became of them; reused is an attack or a very lost answer.',
  labelNames: ['outcome'] as const,
  registers,
});

export const unreadableSessions = new Counter({
  name: 'auth_unreadable_sessions_total',
  help: 'Values in the session store that are no session: damaged, or of a newer build.',
  labelNames: ['why'] as const,
  registers,
});

export const exchanges = new Counter({
  name: 'auth_token_exchanges_total',
  help: 'Passports that services asked for to call another service for a person, by what became of the wish.',
  labelNames: ['caller', 'audience', 'outcome'] as const,
  registers,
});

export const hashesShed = new Counter({
  name: 'auth_password_hashes_shed_total',
  help: 'Passwords that were not looked at because too many waited.',
  registers,
});

interface Watched {
  readonly database: Database;
  readonly clock: Clock;
}

let watched: Watched | undefined;

/** Names the outbox that the gauges look at. @returns a function that stops it, before the database is closed */
export function watchOutbox(outbox: Watched): () => void {
  watched = outbox;
  return () => {
    if (watched === outbox) watched = undefined;
  };
}

export const outboxWaiting = new Gauge({
  name: 'auth_outbox_waiting',
  help: 'Rows of the outbox that the event log has not acknowledged.',
  labelNames: ['topic'],
  registers,
  async collect() {
    for (const { topic, count } of await look()) this.set({ topic }, count);
  },
});

export const outboxOldestSeconds = new Gauge({
  name: 'auth_outbox_oldest_seconds',
  help: 'Age of the oldest of those rows; 0 when there is none.',
  labelNames: ['topic'],
  registers,
  async collect() {
    for (const { topic, oldestMs } of await look()) this.set({ topic }, oldestMs / 1000);
  },
});

interface Waiting {
  readonly topic: string;
  readonly count: number;
  readonly oldestMs: number;
}

/** If the database is away, these metrics keep their last value and the others still work. */
async function look(): Promise<Waiting[]> {
  if (watched === undefined) return [];
  const { database, clock } = watched;
  const of = async (topic: string): Promise<Waiting> => {
    const waiting = () => database.selectFrom('outbox').where('topic', '=', topic).where('published', '=', 0);
    const { count } = await waiting()
      .select((row) => row.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    const oldest = await waiting().selectAll().orderBy('sequence').limit(1).executeTakeFirst();
    return { topic, count: Number(count), oldestMs: oldest === undefined ? 0 : Math.max(0, clock.nowMs() - committedAtMs(oldest)) };
  };
  try {
    return await Promise.all([topics.identityEvents, topics.sessionRevocations].map(({ name }) => of(name)));
  } catch {
    return [];
  }
}

/** Reads the moment from the event itself. */
export function committedAtMs({ topic, event }: Pick<OutboxRow, 'topic' | 'event'>): number {
  const json = JSON.parse(event) as JsonValue;
  const { atMs } = topic === topics.identityEvents.name ? fromJson(IdentityEventSchema, json) : fromJson(RevocationEventSchema, json);
  return Number(atMs);
}
