/**
 * A session store that restarted may have lost what it had acknowledged (Redis with AOF `everysec`: the last second; after a failover: what
 * was not replicated), and with it tombstones: the dead would live again. So before anything is read from a new incarnation of the store,
 * everything that the database knows to be dead is told to it again. The store calls this and holds reads back meanwhile; who waits longer
 * than `waitMaxMs` is told to try again, and finds the replay further on.
 *
 * A revocation that commits during the replay tells the store itself, which is never held back.
 */
import { RevocationEventSchema } from '@cloakroom/contracts';
import { create } from '@bufbuild/protobuf';
import { type SessionStore, StoreUnavailable } from '@cloakroom/session';
import type { Clock, Logger } from '@cloakroom/platform';
import { applyRevocation } from './apply-revocation.ts';
import type { Database } from './outbox.ts';

/** Half of a resolve's budget. 10,000 revocations a second and more are told to a Redis nearby. */
const waitMaxMs = 500;
const pageSize = 500;
/** Pipelined; a failure costs at most these. */
const concurrentCountMax = 50;

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
      // An older one may still run, against a store that is gone: it fails or tells the new one what is true anyway.
      const started = { incarnation, done: replayOnce(parts, incarnation) };
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
    await each(page, (row) => {
      const event = create(RevocationEventSchema, {
        event: {
          case: 'sessionRevoked',
          value: {
            tokenHash: row.token_hash,
            handle: row.handle,
            subject: row.subject,
            forgetAfterMs: BigInt(row.forget_after_ms),
            ended: row.ended === 1,
          },
        },
      });
      return applyRevocation(store, event, row.tag, nowMs);
    });
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

async function each<Row>(rows: readonly Row[], work: (row: Row) => Promise<void>): Promise<void> {
  for (let from = 0; from < rows.length; from += concurrentCountMax)
    await Promise.all(rows.slice(from, from + concurrentCountMax).map(work));
}

function withinTime(done: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new StoreUnavailable('revocations are being replayed')), waitMaxMs);
    done.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
