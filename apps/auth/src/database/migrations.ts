/** The tables of auth: the durable truth about accounts, claims and revocations. SQLite and PostgreSQL take the same schema. */
import { speaksPostgres } from '@cloakroom/platform/database';
import type { Generated, Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { addRevocationsByHandle } from './migrations.revocations-by-handle.ts';
import { type AccountColumns, addFactors, type FactorsSchema } from './migrations.factors.ts';
import { addHomes, type HomesSchema } from './migrations.homes.ts';
import { addIdentityHistory, type IdentityHistorySchema } from './migrations.identity-history.ts';
import { addKnownDevices, type KnownDevicesSchema } from './migrations.known-devices.ts';
import { addCodesLeft, addNotices, type NoticesSchema } from './migrations.notices.ts';

export interface AuthSchema extends NoticesSchema, KnownDevicesSchema, FactorsSchema, IdentityHistorySchema, HomesSchema {
  accounts: AccountColumns & {
    id: string;
    /** Normalised, so that one address has one spelling and one account. */
    email: string;
    name: string;
    password_hash: string;
    created_at_ms: number;
    /** The region where the account lives, which it keeps. '' in a shop of one region, and until the decider of its address has heard of it. */
    home: string;
    /** The last address of the account that its decider has heard of; '' for none. An older build changes `email` alone (accounts/tell-deciders.ts). */
    told_email: string;
  };
  /** The seal on a guest cart. The primary key lets only one user ever have it. */
  claims: {
    guest_cart: string;
    user_id: string;
    login_id: string;
    claimed_at_ms: number;
    guest_tag: string;
    guest_handle: string;
    guest_hash: string;
    guest_expires_at_ms: number;
    /** 1 when the guest's session is revoked, so the saga has nothing left to do. */
    closed: number;
  };
  /** Carts of guests of the other region, whose home was not heard yet (sign-in/claim-abroad.ts). */
  claims_abroad: {
    guest_hash: string;
    guest_tag: string;
    user_id: string;
    noted_at_ms: number;
  };
  revocations: {
    /** The handle of an ended session, or the hash of a rotated token. */
    name: string;
    tag: string;
    subject: string;
    handle: string;
    token_hash: string;
    ended: number;
    revoked_at_ms: number;
    forget_after_ms: number;
  };
  epochs: {
    subject: string;
    tag: string;
    epoch: number;
  };
  outbox: {
    /** Never used twice, and in commit order, since there is one writer at a time (outbox.ts). May have gaps. */
    sequence: Generated<number>;
    topic: string;
    record_key: string;
    /** The event as protobuf JSON, without its sequence. */
    event: string;
    /** The slot of the session store to tell too; '' for events that the store does not need. */
    tag: string;
    /** 1 when the session store has it. */
    applied: number;
    /** 1 when the event log has acknowledged it. */
    published: number;
    /** The trace of the request that wrote the row; null without a request, and in rows of an earlier version. */
    traceparent: string | null;
    experiment: string | null;
  };
  signing_keys: {
    kid: string;
    state: 'active' | 'previous' | 'retired';
    private_jwk: string;
    created_at_ms: number;
  };
  /** Keys that sign passports alone, by Ed25519. While one is `active`, the active key of `signing_keys` signs everything else. */
  passport_keys: {
    kid: string;
    state: 'active' | 'previous' | 'retired';
    private_jwk: string;
    created_at_ms: number;
  };
  meta: {
    name: string;
    value: string;
  };
}

export const migrations: Readonly<Record<string, Migration>> = {
  '0001_accounts_and_revocations': { up: createTables },
  '0002_outbox_trace': { up: addOutboxTrace },
  '0003_notices': { up: addNotices },
  '0004_known_devices': { up: addKnownDevices },
  '0005_revocations_by_handle': { up: addRevocationsByHandle },
  '0006_factors': { up: addFactors },
  '0007_identity_history': { up: addIdentityHistory },
  '0008_recovery_code_notices': { up: addCodesLeft },
};

/**
 * Migrations that an older build of auth may run beside (DatabaseOptions). An older replica takes each row of `signing_keys` for ES256, and one of two
 * active rows for a defect. It would then send no heartbeats. So Ed25519 keys have a table of their own, which it does not read. It makes accounts
 * without a home, as a shop of one region does, and tells no decider of an address. It claims no cart of another region's guest.
 */
export const expansions: Readonly<Record<string, Migration>> = {
  '0001_passport_keys': { up: (db) => createKeys(db, 'passport_keys') },
  '0002_homes': { up: addHomes },
  '0003_claims_abroad': { up: addClaimsAbroad },
};

// The migrator hands over a database of any schema.
async function createTables(db: Kysely<unknown>): Promise<void> {
  await createPeople(db);
  await createRevocations(db);
  await createKeys(db, 'signing_keys');
  await db.schema
    .createTable('meta')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('value', 'text', (c) => c.notNull())
    .execute();
}

async function createKeys(db: Kysely<unknown>, table: 'signing_keys' | 'passport_keys'): Promise<void> {
  await db.schema
    .createTable(table)
    .addColumn('kid', 'text', (c) => c.primaryKey())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('private_jwk', 'text', (c) => c.notNull())
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .execute();
}

async function createPeople(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('accounts')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('email', 'text', (c) => c.notNull().unique())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('password_hash', 'text', (c) => c.notNull())
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('claims')
    .addColumn('guest_cart', 'text', (c) => c.primaryKey())
    .addColumn('user_id', 'text', (c) => c.notNull())
    .addColumn('login_id', 'text', (c) => c.notNull())
    .addColumn('claimed_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('guest_tag', 'text', (c) => c.notNull())
    .addColumn('guest_handle', 'text', (c) => c.notNull())
    .addColumn('guest_hash', 'text', (c) => c.notNull())
    .addColumn('guest_expires_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('closed', 'integer', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('claims_by_closed').on('claims').columns(['closed', 'guest_cart']).execute();
  await db.schema.createIndex('claims_by_guest_hash').on('claims').column('guest_hash').execute();
}

async function createRevocations(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('revocations')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('tag', 'text', (c) => c.notNull())
    .addColumn('subject', 'text', (c) => c.notNull())
    .addColumn('handle', 'text', (c) => c.notNull())
    .addColumn('token_hash', 'text', (c) => c.notNull())
    .addColumn('ended', 'integer', (c) => c.notNull())
    .addColumn('revoked_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('forget_after_ms', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('revocations_by_forget_after').on('revocations').column('forget_after_ms').execute();
  await db.schema
    .createTable('epochs')
    .addColumn('subject', 'text', (c) => c.primaryKey())
    .addColumn('tag', 'text', (c) => c.notNull())
    .addColumn('epoch', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('outbox')
    // The databases number rows differently; outbox.ts makes the numbers follow the commits in both.
    .addColumn('sequence', speaksPostgres(db) ? 'bigint' : 'integer', (c) =>
      speaksPostgres(db) ? c.primaryKey().generatedAlwaysAsIdentity() : c.primaryKey().autoIncrement(),
    )
    .addColumn('topic', 'text', (c) => c.notNull())
    .addColumn('record_key', 'text', (c) => c.notNull())
    .addColumn('event', 'text', (c) => c.notNull())
    .addColumn('tag', 'text', (c) => c.notNull())
    .addColumn('applied', 'integer', (c) => c.notNull())
    .addColumn('published', 'integer', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('outbox_by_topic').on('outbox').columns(['topic', 'sequence']).execute();
}

async function addClaimsAbroad(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('claims_abroad')
    .addColumn('guest_hash', 'text', (c) => c.primaryKey())
    .addColumn('guest_tag', 'text', (c) => c.notNull())
    .addColumn('user_id', 'text', (c) => c.notNull())
    .addColumn('noted_at_ms', 'bigint', (c) => c.notNull())
    .execute();
}

/** Nullable: rows that wait in the outbox at the change of version go out without a trace. */
async function addOutboxTrace(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('outbox').addColumn('traceparent', 'text').execute();
  await db.schema.alterTable('outbox').addColumn('experiment', 'text').execute();
}
