/**
 * The relay empties the outbox: it tells the session store (again: the use case did so already, unless it crashed) and publishes, in the
 * order of the commits, until the event log acknowledges. At least once: a lost acknowledgement publishes the same rows again.
 *
 * One relay per database: replicas of auth contend for a lease, one relays, the others stand by (libs/platform, database.lease.ts). Before each
 * publication the lease is confirmed. A holder that is paused between that and the broker may still publish rows that its successor has
 * published too: a repeat, like after a lost acknowledgement, which moves no epoch back and makes nobody live. Nor can a heartbeat of such
 * a holder lie: what was committed before its look is out, whoever published it; and readers take no earlier boot for the current one.
 * Each tenure is a boot of its own, for the same reason.
 *
 * The heartbeat is a promise to everyone who caches identity: "all that was revoked before I looked has been published". So it looks into
 * the outbox first and says nothing until the rows it saw are out; `beatMs` is the moment of the look, for a heartbeat may be held up on its
 * way. It does not wait for rows that came later: where people sign in all the time there is always one, and nobody would have a lease.
 *
 * A store that cannot be reached holds up neither publishing nor the heartbeat: the others must hear of a revocation even so. Its row stays
 * until the store has it.
 */
import { fromJsonString, toBinary, create } from '@bufbuild/protobuf';
import { IdentityEventSchema, recordHeaders, RevocationEventSchema, topics, type TopicSpec } from '@cloakroom/contracts';
import {
  Commits,
  type EventLog,
  outboxPollIntervalMs,
  type OutgoingRecord,
  pauseUntil,
  relayOutbox,
  traceHeaders,
  type RecordTrace,
} from '@cloakroom/event-log';
import { signEvent } from '@cloakroom/identity';
import { type Clock, type Lease, type Logger, type Tenure, startSpan, tracing } from '@cloakroom/platform';
import type { SessionStore } from '@cloakroom/session';
import { applyRevocation } from '../revocation/apply-revocation.ts';
import { globalEpoch } from '../revocation/epochs.ts';
import { committedAtMs } from '../metrics.ts';
import type { Database, Outbox, OutboxRow } from '../database/outbox.ts';
import type { SigningKeys } from '../tokens/signing-keys.ts';

/** A quarter of the lease (2 s): a reader survives two lost ones. */
const heartbeatIntervalMs = 500;
/** How often a heartbeat looks whether the rows before it are out: they take a few ms, and each look is one read of an index. */
const beatPollMs = 20;
/** One publish of 100 small records stays far below its time-out. */
const batchSize = 100;

export interface Relay {
  start(): void;
  /** Whether this process is the one that relays. */
  relays(): boolean;
  /** How long the relay here has published no heartbeat; undefined where another replica relays. */
  silentForMs(): number | undefined;
  /** The clock of the relay that beats now, in whichever replica; undefined when it did not answer. */
  beatClock(): Promise<BeatClock | undefined>;
  /** Lets what is under way finish (the log's own time-out bounds it). */
  stop(): Promise<void>;
}

/** The relay's clock tells readers how old a heartbeat is (libs/identity, beat-clock.ts). */
export interface BeatClock {
  readonly boot: string;
  /** Rounded up, where a heartbeat's is rounded down: a heartbeat may look older than it is, never younger. */
  readonly beatMs: number;
}

export interface RelayParts {
  readonly database: Database;
  readonly outbox: Outbox;
  readonly store: SessionStore;
  readonly eventLog: EventLog;
  readonly keys: SigningKeys;
  readonly clock: Clock;
  readonly log: Logger;
  /** Random at each tenure. */
  readonly boot: string;
  readonly confirm: Tenure['confirm'];
}

export interface OpenRelayParts extends Omit<RelayParts, 'boot' | 'confirm'> {
  readonly lease: Lease;
  readonly newBoot: () => string;
}

export const relayTopics: readonly TopicSpec[] = [topics.sessionRevocations, topics.identityEvents];

export function openRelay(opened: OpenRelayParts): Relay {
  const commits = new Commits();
  opened.outbox.onCommit(commits.notice);
  // Of another process.
  opened.lease.onNotice(commits.notice);
  let boot: string | undefined;
  let beatAtMs = 0;
  opened.lease.onQuestion(() => boot && JSON.stringify({ boot, beatMs: Math.ceil(opened.clock.monotonicMs()) } satisfies BeatClock));
  return {
    start: () =>
      opened.lease.hold(async ({ ended, confirm }) => {
        boot = opened.newBoot();
        beatAtMs = opened.clock.monotonicMs();
        const onBeat = (): void => void (beatAtMs = opened.clock.monotonicMs());
        await relayUntil(ended, { ...opened, boot, confirm }, commits, onBeat).finally(() => (boot = undefined));
      }),
    relays: () => opened.lease.held(),
    silentForMs: () => (boot === undefined ? undefined : opened.clock.monotonicMs() - beatAtMs),
    beatClock: async () => {
      const told = await opened.lease.askHolder();
      return told === undefined ? undefined : (JSON.parse(told) as BeatClock);
    },
    stop: () => opened.lease.stop(),
  };
}

/** One tenure. */
async function relayUntil(ended: AbortSignal, parts: RelayParts, commits: Commits, onBeat: () => void): Promise<void> {
  const applier = async (): Promise<void> => {
    while (!ended.aborted) {
      await applyRows(parts).catch((error: unknown) => parts.log.debug({ err: error }, 'the session store is still to be told'));
      // Also how soon a store that is back hears of what it missed.
      await pauseUntil(outboxPollIntervalMs, ended);
    }
  };
  const heart = async (): Promise<void> => {
    while (!ended.aborted) {
      const beat = beatOnce(parts)
        .then((sent) => sent && onBeat())
        .catch((error: unknown) => parts.log.debug({ err: error }, 'no heartbeat'));
      // Not one after the other: a heartbeat that hangs must not silence the next by more than its own time-out.
      await Promise.all([beat, pauseUntil(heartbeatIntervalMs, ended)]);
    }
  };
  const publishing = relayOutbox(ended, {
    topics: relayTopics,
    eventLog: parts.eventLog,
    commits,
    log: parts.log,
    publishRows: (topic) => publishRows(parts, topic),
  });
  await Promise.all([publishing, applier(), heart()]);
}

/** Publishes the oldest rows. @returns whether there may be more */
export async function publishRows(parts: RelayParts, topic: TopicSpec): Promise<boolean> {
  const { database, eventLog } = parts;
  const rows = await database
    .selectFrom('outbox')
    .selectAll()
    .where('topic', '=', topic.name)
    .where('published', '=', 0)
    .orderBy('sequence')
    .limit(batchSize)
    .execute();
  if (rows.length === 0) return false;
  const applied = await applyWhatStoreTakes(parts, rows);
  // After the rows were read: who wrote that a key is retired has made the next in the same transaction.
  await parts.keys.reload();
  await parts.confirm();
  await eventLog.publish(
    topic,
    rows.map((row) => recordOf(row, topic, parts.keys)),
  );
  // A crash before this publishes them once more.
  await database.transaction().execute(async (trx) => {
    if (applied.length > 0) await trx.deleteFrom('outbox').where('sequence', 'in', applied).execute();
    const rest = rows.map((row) => row.sequence).filter((sequence) => !applied.includes(sequence));
    if (rest.length > 0) await trx.updateTable('outbox').set({ published: 1 }).where('sequence', 'in', rest).execute();
  });
  return rows.length === batchSize;
}

/** Tells the store what it has not acknowledged although it is published. Stops at the first failure. */
export async function applyRows(parts: RelayParts): Promise<void> {
  const { database } = parts;
  const rows = await database
    .selectFrom('outbox')
    .selectAll()
    .where('topic', '=', topics.sessionRevocations.name)
    .where('published', '=', 1)
    .orderBy('sequence')
    .limit(batchSize)
    .execute();
  const applied = await applyWhatStoreTakes(parts, rows);
  if (applied.length > 0) await database.deleteFrom('outbox').where('sequence', 'in', applied).execute();
}

/** @returns the sequences of rows that the store has or does not need */
async function applyWhatStoreTakes({ store, clock, log }: RelayParts, rows: readonly OutboxRow[]): Promise<number[]> {
  const applied = rows.filter((row) => row.applied === 1).map((row) => row.sequence);
  for (const row of rows.filter((each) => each.applied === 0)) {
    try {
      await applyRevocation(store, fromJsonString(RevocationEventSchema, row.event), row.tag, clock.nowMs());
      applied.push(row.sequence);
    } catch (error) {
      log.debug({ err: error, sequence: row.sequence }, 'the session store is still to be told');
      // One time-out a batch, not a hundred.
      break;
    }
  }
  return applied;
}

/** @returns whether it was sent: not when a row that waited at the look still does half a second later */
export async function beatOnce({ database, eventLog, keys, clock, boot, confirm }: RelayParts): Promise<boolean> {
  const topic = topics.sessionRevocations;
  const waiting = () => database.selectFrom('outbox').select('sequence').where('topic', '=', topic.name).where('published', '=', 0);
  const beatMs = Math.floor(clock.monotonicMs());
  const newest = await waiting().orderBy('sequence', 'desc').limit(1).executeTakeFirst();
  if (newest !== undefined) {
    const older = waiting().where('sequence', '<=', newest.sequence).limit(1);
    for (let waitedMs = 0; (await older.executeTakeFirst()) !== undefined; waitedMs += beatPollMs) {
      if (waitedMs >= heartbeatIntervalMs) return false;
      await new Promise((resolve) => setTimeout(resolve, beatPollMs));
    }
  }
  const event = create(RevocationEventSchema, {
    atMs: BigInt(clock.nowMs()),
    event: { case: 'heartbeat', value: { globalEpoch: BigInt(await globalEpoch(database)), boot, beatMs: BigInt(beatMs) } },
  });
  await keys.reload();
  await confirm();
  await eventLog.publish(topic, [signedRecord(topic, topic.name, 'heartbeat', toBinary(RevocationEventSchema, event), keys)]);
  return true;
}

function recordOf(row: OutboxRow, topic: TopicSpec, keys: SigningKeys): OutgoingRecord {
  const { type, bytes } = topic.name === topics.identityEvents.name ? identityOf(row) : revocationOf(row);
  const record = signedRecord(topic, row.record_key, type, bytes, keys);
  return { ...record, headers: { ...record.headers, ...traceHeaders(waited(row)) } };
}

/** The wait between commit and publish is a span of the request that caused the row; once more where publishing is repeated. */
function waited(row: OutboxRow): RecordTrace {
  if (row.traceparent === null || !tracing()) return row;
  const span = startSpan({ name: `outbox ${row.topic}`, kind: 'internal', parent: row.traceparent, startedAtMs: committedAtMs(row) });
  span?.end();
  return { traceparent: span?.trace.traceparent ?? row.traceparent, experiment: row.experiment };
}

function identityOf(row: OutboxRow): { readonly type: string; readonly bytes: Uint8Array } {
  const event = fromJsonString(IdentityEventSchema, row.event);
  return { type: event.event.case ?? '', bytes: toBinary(IdentityEventSchema, event) };
}

function revocationOf(row: OutboxRow): { readonly type: string; readonly bytes: Uint8Array } {
  const event = fromJsonString(RevocationEventSchema, row.event);
  event.sequence = BigInt(row.sequence);
  return { type: event.event.case ?? '', bytes: toBinary(RevocationEventSchema, event) };
}

function signedRecord(topic: TopicSpec, key: string, type: string, bytes: Uint8Array, keys: SigningKeys): OutgoingRecord {
  const value = Buffer.from(bytes);
  return {
    key,
    value,
    headers: {
      [recordHeaders.eventType]: Buffer.from(type),
      [recordHeaders.eventVersion]: Buffer.from('1'),
      [recordHeaders.signature]: signEvent(topic, value, keys.active()),
    },
  };
}
