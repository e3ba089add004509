/**
 * A restarted session store may have lost acknowledged writes (Redis with AOF `everysec`: the last second; after a failover: unreplicated writes).
 * Some of them may be tombstones, and without those dead sessions would live again. So auth tells a new incarnation of the store every revocation in
 * the database before anything is read from it.
 *
 * The store calls this and holds reads back meanwhile. A read that waits longer than `waitMaxMs` is told to try again, and finds the replay further
 * on. A revocation that commits during the replay writes to the store itself, and that write is never held back.
 */
import { type SessionStore, StoreUnavailable } from '@cloakroom/session';
import { type Clock, type Logger, withoutExperiment } from '@cloakroom/platform';
import type { Selectable } from 'kysely';
import type { AuthSchema } from '../database/migrations.ts';
import type { Database } from '../database/outbox.ts';

/** Half of a resolve's budget. A nearby Redis takes tens of thousands of revocations a second (docs/sessions-cluster.md). */
const waitMaxMs = 500;
const pageSize = 2_000;
/**
 * Commands on the wire at once, to all shards together. A command has half a second and a shard takes 20,000 a second, so none times out by waiting.
 */
const concurrentCountMax = 500;

type Revocation = Selectable<AuthSchema['revocations']>;

export interface ReplayParts {
  readonly database: Database;
  readonly store: SessionStore;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Registers the replay with the store. */
export function replayRevocations(parts: ReplayParts): void {
  let current: { readonly incarnation: string; readonly done: Promise<void> } | undefined;
  parts.store.onIncarnationChange(async (incarnation) => {
    if (current?.incarnation !== incarnation) {
      // An older replay may still run, against a store that is gone. It fails, or tells the new store what is true anyway.
      // All requests wait for this replay, so it is of no experiment.
      const started = { incarnation, done: withoutExperiment(() => replayOnce(parts, incarnation)) };
      current = started;
      started.done.catch((error: unknown) => {
        parts.log.warn({ err: error }, 'the replay of revocations failed');
        if (current === started) current = undefined;
      });
    }
    await withinTime(current.done);
  });
}

async function replayOnce({ database, store, clock, log }: ReplayParts, incarnation: string): Promise<void> {
  const startedMs = clock.monotonicMs();
  const nowMs = clock.nowMs();
  let count = 0;
  for (let after = ''; ;) {
    const page = await database
      .selectFrom('revocations')
      .selectAll()
      .where('name', '>', after)
      .where('forget_after_ms', '>', nowMs)
      .orderBy('name')
      .limit(pageSize)
      .execute();
    await each(page, (row) => tell(store, row, nowMs));
    count += page.length;
    const last = page.at(-1);
    if (last === undefined || page.length < pageSize) break;
    after = last.name;
  }
  const epochs = await database.selectFrom('epochs').selectAll().execute();
  await each(epochs, async (row) => void (await store.raiseEpoch(row.tag, row.subject, row.epoch, nowMs)));
  log.info(
    { incarnation, revocations: count, epochs: epochs.length, durationMs: Math.round(clock.monotonicMs() - startedMs) },
    'revocations replayed into the session store',
  );
}

/** Does what applyRevocation does, without a message in between, since there may be millions of rows. */
async function tell(store: SessionStore, row: Revocation, nowMs: number): Promise<void> {
  const { tag, subject, forget_after_ms: untilMs } = row;
  if (row.ended === 1) await store.revoke({ tag, name: row.handle, subject, untilMs }, nowMs);
  else await store.buryToken({ tag, name: row.token_hash, subject, untilMs }, nowMs);
}

/** Each slot takes the next row as soon as its last one is told, so that one slow row does not hold up a batch. */
async function each<Row>(rows: readonly Row[], work: (row: Row) => Promise<void>): Promise<void> {
  const left = rows.values();
  const slot = async (): Promise<void> => {
    for (const row of left) await work(row);
  };
  await Promise.all(Array.from({ length: Math.min(concurrentCountMax, rows.length) }, slot));
}

function withinTime(done: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new StoreUnavailable('revocations are being replayed')), waitMaxMs);
    done.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
