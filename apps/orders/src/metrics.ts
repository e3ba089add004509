/** The metrics of orders for an operator. No label names a person or an order. */
import { type Clock, metrics } from '@cloakroom/platform';
import { Counter, Gauge } from 'prom-client';
import type { Database } from './orders.ts';

const registers = [metrics];

export const ordersEnded = new Counter({
  name: 'orders_ended_total',
  help: 'Orders that came to their end here, by which: placed, or why they were cancelled.',
  labelNames: ['outcome'] as const,
  registers,
});

interface Watched {
  readonly db: Database;
  readonly clock: Clock;
}

let watched: Watched | undefined;

/** Sets the tables that the gauges read. @returns a function that stops the reading; call it before the database is closed */
export function watchOrdersTables(tables: Watched): () => void {
  watched = tables;
  return () => {
    if (watched === tables) watched = undefined;
  };
}

export const ordersPending = new Gauge({
  name: 'orders_pending',
  help: 'Orders of which it is not known yet how they end.',
  registers,
  async collect() {
    const pending = await look(pendingOrders);
    if (pending !== undefined) this.set(pending.count);
  },
});

export const ordersPendingOldestSeconds = new Gauge({
  name: 'orders_pending_oldest_seconds',
  help: 'Age of the oldest of those orders; 0 when there is none.',
  registers,
  async collect() {
    const pending = await look(pendingOrders);
    if (pending !== undefined) this.set(pending.oldestMs / 1000);
  },
});

export const outboxWaiting = new Gauge({
  name: 'orders_outbox_waiting',
  help: 'Events of orders that the event log has not acknowledged.',
  registers,
  async collect() {
    const waiting = await look(unpublished);
    if (waiting !== undefined) this.set(waiting.count);
  },
});

export const outboxOldestSeconds = new Gauge({
  name: 'orders_outbox_oldest_seconds',
  help: 'Age of the oldest of those events; 0 when there is none.',
  registers,
  async collect() {
    const waiting = await look(unpublished);
    if (waiting !== undefined) this.set(waiting.oldestMs / 1000);
  },
});

interface Found {
  readonly count: number;
  readonly oldestMs: number;
}

/** When the database is unavailable, these gauges keep their last value, so that the other metrics can still be read. */
async function look(query: (db: Database) => Promise<{ count: number; oldest: number | null }>): Promise<Found | undefined> {
  if (watched === undefined) return undefined;
  try {
    const { count, oldest } = await query(watched.db);
    return { count: Number(count), oldestMs: oldest === null ? 0 : Math.max(0, watched.clock.nowMs() - Number(oldest)) };
  } catch {
    return undefined;
  }
}

const pendingOrders = (db: Database) =>
  db
    .selectFrom('orders')
    .where('phase', 'in', ['accepted', 'reserved', 'unknown'])
    .select((row) => [row.fn.countAll<number>().as('count'), row.fn.min('placed_at_ms').as('oldest')])
    .executeTakeFirstOrThrow();

const unpublished = (db: Database) =>
  db
    .selectFrom('order_events')
    .where('published', '=', 0)
    .select((row) => [row.fn.countAll<number>().as('count'), row.fn.min('at_ms').as('oldest')])
    .executeTakeFirstOrThrow();
