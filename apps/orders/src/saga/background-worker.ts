/**
 * The work that needs no request, in one replica of all (a lease). The worker publishes the outbox and finishes orders that their requests left. A
 * replica may lose the lease without noticing, and that is harmless. A record published twice is a repeat, and two processes may take the same step
 * of an order.
 */
import { randomBytes } from 'node:crypto';
import { fromJsonString, toBinary } from '@bufbuild/protobuf';
import { OrderEventSchema, recordHeaders, topics } from '@cloakroom/contracts';
import {
  type Commits,
  type EventLog,
  type OutgoingRecord,
  pauseUntil,
  type RecordTrace,
  relayOutbox,
  traceHeaders,
} from '@cloakroom/event-log';
import { startSpan, startTrace, tracing } from '@cloakroom/platform';
import type { Lease, Tenure } from '@cloakroom/platform/database';
import type { Selectable } from 'kysely';
import type { OrdersSchema } from '../orders.ts';
import type { OrdersParts } from '../orders.dependencies.ts';
import { hearCallback } from './saga.ts';
import { openSettler } from './settler.ts';

/** One publish of 100 small records stays far below its time-out. */
const batchSize = 100;
/** Bytes of one publish: half of the most that a publish takes. The confirmation of a full cart has 33 kB. */
const batchBytesMax = 450_000;
/** How soon the settler asks for an unknown payment again. */
const settleIntervalMs = 500;

export interface BackgroundWorker {
  start(): void;
  /** Whether this replica holds the lease, and works. */
  leads(): boolean;
  /** Finishes the work under way. The next background worker does the rest. */
  stop(): Promise<void>;
}

export interface BackgroundWorkerOptions {
  readonly parts: OrdersParts;
  /** Noticed after each commit of this process (`parts.committed`); the worker adds the commits of others. */
  readonly commits: Commits;
  readonly eventLog: EventLog;
  readonly lease: Lease;
  /** The simulated provider's own work. */
  readonly deliverCallbacks: () => Promise<void>;
}

export function openBackgroundWorker({ parts, commits, eventLog, lease, deliverCallbacks }: BackgroundWorkerOptions): BackgroundWorker {
  // A notice of another process.
  lease.onNotice(commits.notice);
  return {
    start() {
      parts.payments.onCallback((orderId, outcome) => hearCallback(parts, orderId, outcome));
      lease.hold(async ({ ended, confirm }) => {
        const relaying = relayOutbox(ended, {
          topics: [topics.orderEvents],
          eventLog,
          commits,
          log: parts.log,
          publishRows: () => publishRows(parts, eventLog, confirm),
        });
        await Promise.all([relaying, settleUntil(ended, parts, deliverCallbacks)]);
      });
    },
    leads: () => lease.held(),
    stop: () => lease.stop(),
  };
}

async function settleUntil(ended: AbortSignal, parts: OrdersParts, deliverCallbacks: () => Promise<void>): Promise<void> {
  const settler = openSettler(parts, () => startTrace(randomBytes));
  // Each work runs by itself: a callback that fails delays no order.
  const works = [deliverCallbacks, () => settler.settle(ended)].map((work) => ({ work, failed: false }));
  while (!ended.aborted) {
    for (const each of works) {
      try {
        await each.work();
        each.failed = false;
      } catch (error) {
        if (!each.failed) parts.log.warn({ err: error }, 'settling orders waits');
        each.failed = true;
      }
    }
    await pauseUntil(settleIntervalMs, ended);
  }
}

/** Publishes the oldest rows. @returns whether there may be more */
export async function publishRows({ db }: Pick<OrdersParts, 'db'>, eventLog: EventLog, confirm: Tenure['confirm']): Promise<boolean> {
  const rows = await db.selectFrom('order_events').selectAll().where('published', '=', 0).orderBy('sequence').limit(batchSize).execute();
  if (rows.length === 0) return false;
  const records = upToBytes(rows.map(recordOf));
  await confirm();
  await eventLog.publish(topics.orderEvents, records);
  // A crash before this line publishes the rows once more.
  const sequences = rows.slice(0, records.length).map(({ sequence }) => sequence);
  await db.updateTable('order_events').set({ published: 1 }).where('sequence', 'in', sequences).execute();
  return rows.length === batchSize || records.length < rows.length;
}

/** The first records up to the limit, at least one. */
function upToBytes(records: readonly OutgoingRecord[]): OutgoingRecord[] {
  let bytes = 0;
  return records.filter((record, index) => (bytes += record.value?.length ?? 0) <= batchBytesMax || index === 0);
}

type EventRow = Selectable<OrdersSchema['order_events']>;

function recordOf(row: EventRow): OutgoingRecord {
  return {
    key: row.user_id,
    value: Buffer.from(toBinary(OrderEventSchema, fromJsonString(OrderEventSchema, row.event))),
    headers: {
      [recordHeaders.eventType]: Buffer.from(row.name),
      [recordHeaders.eventVersion]: Buffer.from('1'),
      ...traceHeaders(waited(row)),
    },
  };
}

/** The wait between commit and publish is a span of the request that placed the order. A repeated publish makes a second span. */
function waited(row: EventRow): RecordTrace {
  if (row.traceparent === null || !tracing()) return row;
  const name = `outbox ${topics.orderEvents.name}`;
  const span = startSpan({ name, kind: 'internal', parent: row.traceparent, startedAtMs: row.at_ms });
  span?.end();
  return { traceparent: span?.trace.traceparent ?? row.traceparent, experiment: row.experiment };
}
