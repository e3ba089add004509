/**
 * The tables of an order. The rows of `order_events` are both the outbox and the history. Each step of a saga commits its event together with its
 * change. The relay publishes the event, and the person sees it as history.
 *
 * Two unique keys make check-out exactly once, whoever asks and how often. The first is (user, idempotency key). The second is (user, command id): a
 * command that a person made in two carts is ordered once, and the same id of another person is another command. An order frees its commands when it
 * is cancelled, and never after it was paid.
 */
import { speaksPostgres } from '@cloakroom/platform/database';
import type { Generated, Kysely, Selectable } from 'kysely';
import type { Migration } from 'kysely/migration';
import { oneOrderACommand } from './orders.commands.ts';
import { addProvider, type ProviderTables } from './payments/payment-provider.tables.ts';

/**
 * accepted: only this database knows of the order. reserved: the stock is taken, and the provider may have been asked. unknown: the provider was
 * asked and did not answer. placed, cancelled: the end, except that a cancelled order may still have stock to give back.
 */
export type Phase = 'accepted' | 'reserved' | 'unknown' | 'placed' | 'cancelled';

export interface OrdersSchema extends ProviderTables {
  orders: {
    order_id: string;
    user_id: string;
    idempotency_key: string;
    /** Hash of the request that came with that key. */
    body_hash: string;
    phase: Phase;
    /** Why the order was cancelled: a code of the error table; '' while it is not. */
    reason: string;
    /** 1 when the catalog took stock for this order, as far as this database heard. */
    stock_reserved: number;
    /** 1 when the order was cancelled and the catalog has not yet acknowledged the returned stock. */
    release_due: number;
    /** JSON of OrderedLine[]: the lines that the buyer agreed to. */
    lines: string;
    /** JSON of OrderedAddress. */
    address: string;
    subtotal: number;
    discount: number;
    coupon: string;
    total: number;
    currency: string;
    payment_method: string;
    placed_at_ms: number;
    traceparent: string | null;
    experiment: string | null;
  };
  /** The dots that belong to an order, by the name under which they were ordered. The event that tells the cart needs them. */
  order_dots: { dot: string; order_id: string };
  /** The same by buyer and command. Only the database writes it, with each row of order_dots: see orders.commands.ts. */
  order_commands: { user_id: string; command_id: string; dot: string; order_id: string };
  /** Uses of coupons that count once per person. */
  coupon_uses: { user_id: string; code: string; order_id: string };
  order_events: {
    /** Numbers the events of one order in the order of their commits, because each step locks the order's row first. May have gaps. */
    sequence: Generated<number>;
    order_id: string;
    user_id: string;
    /** "StockReserved" */
    name: string;
    /** protobuf JSON */
    event: string;
    at_ms: number;
    /** 1 when the event log has acknowledged it. */
    published: number;
    traceparent: string | null;
    experiment: string | null;
  };
}

export type Database = Kysely<OrdersSchema>;
export type OrderRow = Selectable<OrdersSchema['orders']>;

/** A line as the order keeps it. */
export interface OrderedLine {
  readonly lineId: string;
  readonly productId: string;
  readonly name: string;
  readonly options: Readonly<Record<string, string>>;
  readonly quantity: number;
  /** In minor units; 0 for a product that is gone. */
  readonly unitPrice: number;
}

/** The address as the order keeps it: a later change of the profile changes no order. */
export interface OrderedAddress {
  readonly name: string;
  readonly line1: string;
  readonly line2: string;
  readonly city: string;
  readonly postalCode: string;
  readonly country: string;
}

export const migrations: Readonly<Record<string, Migration>> = {
  '0001_orders': { up: createTables },
  '0002_simulated_provider': { up: addProvider },
};

/** Migrations that an older build may run beside: see DatabaseOptions. */
export const expansions: Readonly<Record<string, Migration>> = {
  '0001_one_order_a_command': { up: oneOrderACommand },
};

// The migrator hands over a database of any schema.
async function createTables(db: Kysely<unknown>): Promise<void> {
  await createOrders(db);
  await db.schema
    .createTable('order_dots')
    .addColumn('dot', 'text', (c) => c.primaryKey())
    .addColumn('order_id', 'text', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('order_dots_by_order').on('order_dots').column('order_id').execute();
  await db.schema
    .createTable('coupon_uses')
    .addColumn('user_id', 'text', (c) => c.notNull())
    .addColumn('code', 'text', (c) => c.notNull())
    .addColumn('order_id', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('coupon_uses_key', ['user_id', 'code'])
    .execute();
  await db.schema
    .createTable('order_events')
    .addColumn('sequence', speaksPostgres(db) ? 'bigint' : 'integer', (c) =>
      speaksPostgres(db) ? c.primaryKey().generatedAlwaysAsIdentity() : c.primaryKey().autoIncrement(),
    )
    .addColumn('order_id', 'text', (c) => c.notNull())
    .addColumn('user_id', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('event', 'text', (c) => c.notNull())
    .addColumn('at_ms', 'bigint', (c) => c.notNull())
    .addColumn('published', 'integer', (c) => c.notNull())
    .addColumn('traceparent', 'text')
    .addColumn('experiment', 'text')
    .execute();
  await db.schema.createIndex('order_events_by_order').on('order_events').columns(['order_id', 'sequence']).execute();
  await db.schema.createIndex('order_events_to_publish').on('order_events').columns(['published', 'sequence']).execute();
}

async function createOrders(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('orders')
    .addColumn('order_id', 'text', (c) => c.primaryKey())
    .addColumn('user_id', 'text', (c) => c.notNull())
    .addColumn('idempotency_key', 'text', (c) => c.notNull())
    .addColumn('body_hash', 'text', (c) => c.notNull())
    .addColumn('phase', 'text', (c) => c.notNull())
    .addColumn('reason', 'text', (c) => c.notNull())
    .addColumn('stock_reserved', 'integer', (c) => c.notNull())
    .addColumn('release_due', 'integer', (c) => c.notNull())
    .addColumn('lines', 'text', (c) => c.notNull())
    .addColumn('address', 'text', (c) => c.notNull())
    .addColumn('subtotal', 'bigint', (c) => c.notNull())
    .addColumn('discount', 'bigint', (c) => c.notNull())
    .addColumn('coupon', 'text', (c) => c.notNull())
    .addColumn('total', 'bigint', (c) => c.notNull())
    .addColumn('currency', 'text', (c) => c.notNull())
    .addColumn('payment_method', 'text', (c) => c.notNull())
    .addColumn('placed_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('traceparent', 'text')
    .addColumn('experiment', 'text')
    .addUniqueConstraint('orders_key', ['user_id', 'idempotency_key'])
    .execute();
  await db.schema.createIndex('orders_by_user').on('orders').columns(['user_id', 'order_id']).execute();
  await db.schema.createIndex('orders_by_phase').on('orders').columns(['phase', 'order_id']).execute();
  await db.schema.createIndex('orders_by_release').on('orders').columns(['release_due', 'order_id']).execute();
}
