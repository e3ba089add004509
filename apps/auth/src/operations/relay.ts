/**
 * The relay empties the outbox. It tells the session store, which the use case has already done unless it crashed. It publishes in the order of the
 * commits, until the event log acknowledges. Delivery is at least once: after a lost acknowledgement the relay publishes the same rows again.
 *
 * Each database has one relay. Replicas of auth contend for a lease: one relays, the others stand by (libs/platform, database.lease.ts). The relay
 * confirms the lease before each publication. A holder that pauses between that and the broker may still publish rows that its successor has
 * published too. Such a repeat is like one after a lost acknowledgement: it moves no epoch back and revives no session.
 *
 * A heartbeat of such a holder cannot lie either: everything committed before its look has been published, by one relay or the other. Readers also
 * take no earlier boot for the current one. So each tenure is a boot of its own.
 *
 * The heartbeat is a promise to every process that caches identity: "all that was revoked before I looked has been published". So the relay looks
 * into the outbox first, and sends no heartbeat until the rows it saw are published. `beatMs` is the moment of the look, since a heartbeat may be
 * delayed on its way. The relay does not wait for later rows. Where people sign in all the time there is always one, and no reader would have a
 * lease.
 *
 * A store that cannot be reached delays neither publishing nor the heartbeat, since other processes must still hear of a revocation. Its row stays
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
import { type Clock, type Logger, startSpan, tracing } from '@cloakroom/platform';
import type { Lease, Tenure } from '@cloakroom/platform/database';
import type { SessionStore } from '@cloakroom/session';
import { applyRevocation } from '../revocation/apply-revocation.ts';
import { globalEpoch } from '../revocation/epochs.ts';
import { committedAtMs } from '../metrics.ts';
import type { Database, Outbox, OutboxRow } from '../database/outbox.ts';
import type { SigningKeys } from '../tokens/signing-keys.ts';

/** A quarter of the lease (2 s), so that a reader survives two lost heartbeats. */
const heartbeatIntervalMs = 500;
/** The time between checks whether the rows before a heartbeat are published. They take a few ms, and each check is one read of an index. */
const beatPollMs = 20;
/** One publish of 100 small records stays far below its time-out. */
const batchSize = 100;

export interface Relay {
  start(): void;
  /** Whether this process is the one that relays. */
  relays(): boolean;
  /** The time since the relay here last published a heartbeat; undefined where another replica relays. */
  silentForMs(): number | undefined;
  /** The clock of the relay that beats now, in any replica; undefined when that replica did not answer. */
  beatClock(): Promise<BeatClock | undefined>;
  /** Lets current work finish (the log's own time-out bounds it). */
  stop(): Promise<void>;
}

/** The relay's clock tells readers how old a heartbeat is (libs/identity, beat-clock.ts). */
export interface BeatClock {
  readonly boot: string;
  /** Rounded up, while the heartbeat's value is rounded down. So a heartbeat may look older than it is, never younger. */
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
  /** Random, new at each tenure. */
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
  // Commits of other processes.
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

/** Runs one tenure. */
async function relayUntil(ended: AbortSignal, parts: RelayParts, commits: Commits, onBeat: () => void): Promise<void> {
  const applier = async (): Promise<void> => {
    while (!ended.aborted) {
      await applyRows(parts).catch((error: unknown) => parts.log.debug({ err: error }, 'the session store is still to be told'));
      // This is also the longest delay before a store that is back hears what it missed.
      await pauseUntil(outboxPollIntervalMs, ended);
    }
  };
  const heart = async (): Promise<void> => {
    while (!ended.aborted) {
      const beat = beatOnce(parts)
        .then((sent) => sent && onBeat())
        .catch((error: unknown) => parts.log.debug({ err: error }, 'no heartbeat'));
      // Heartbeats may overlap, so that one that hangs delays the next by no more than its own time-out.
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
  // Reloads after reading the rows: the transaction that announced a retired key also made the next key.
  await parts.keys.reload();
  await parts.confirm();
  await eventLog.publish(
    topic,
    rows.map((row) => recordOf(row, topic, parts.keys)),
  );
  // After a crash before this transaction, the relay publishes the rows once more.
  await database.transaction().execute(async (trx) => {
    if (applied.length > 0) await trx.deleteFrom('outbox').where('sequence', 'in', applied).execute();
    const rest = rows.map((row) => row.sequence).filter((sequence) => !applied.includes(sequence));
    if (rest.length > 0) await trx.updateTable('outbox').set({ published: 1 }).where('sequence', 'in', rest).execute();
  });
  return rows.length === batchSize;
}

/** Tells the store the published rows that it has not acknowledged. Stops at the first failure. */
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
      // One time-out a batch, not one for each of a hundred rows.
      break;
    }
  }
  return applied;
}

/** @returns whether it was sent; false when a row that waited at the look still waits half a second later */
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

/** The wait between commit and publication is a span of the request that caused the row. A repeated publication adds another span. */
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
