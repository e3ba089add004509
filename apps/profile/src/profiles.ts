/**
 * The stored profiles, by subject. The subject comes only from the verified passport or from a signed event.
 *
 * Every write begins with `lockProfile`, an upsert of the person's row. On PostgreSQL that row lock makes two writes of one person wait for each
 * other, so limits hold. SQLite has one writer anyway. With the row held, `read committed` is enough: later reads see what the transaction before has
 * committed. Only forgetGuests takes no lock, because the sessions of its guests ended a day ago and no request writes for them.
 */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ProfileSchema as ProfileMessage } from '@cloakroom/contracts';
import type { Kysely, Transaction } from 'kysely';
import type { Migration } from 'kysely/migration';

export interface ProfileTables {
  profiles: {
    subject: string;
    name: string;
    email: string;
    /** 1 once the account's registration was heard: a replayed registration must not undo a changed name. */
    registered: number;
    /** For a guest: the user who claimed it, '' for none. This seal makes a replayed claim change nothing. */
    joined_to: string;
    updated_at_ms: number;
  };
  addresses: {
    address_id: string;
    subject: string;
    position: number;
    name: string;
    line1: string;
    line2: string;
    city: string;
    postal_code: string;
    country: string;
  };
  preferences: { subject: string; key: string; value: string };
  views: { subject: string; product_id: string; viewed_at_ms: number };
}

export type Database = Kysely<ProfileTables>;
export type ProfileAnswer = MessageInitShape<typeof ProfileMessage>;

/** A product further back was not viewed "recently". */
export const viewCountMax = 20;
export const preferenceCountMax = 50;

export const migrations: Readonly<Record<string, Migration>> = {
  '001-profiles': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('profiles')
        .addColumn('subject', 'text', (column) => column.primaryKey())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('email', 'text', (column) => column.notNull())
        .addColumn('registered', 'integer', (column) => column.notNull())
        .addColumn('joined_to', 'text', (column) => column.notNull())
        .addColumn('updated_at_ms', 'bigint', (column) => column.notNull())
        .execute();
      await db.schema
        .createTable('addresses')
        .addColumn('address_id', 'text', (column) => column.primaryKey())
        .addColumn('subject', 'text', (column) => column.notNull())
        .addColumn('position', 'integer', (column) => column.notNull())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('line1', 'text', (column) => column.notNull())
        .addColumn('line2', 'text', (column) => column.notNull())
        .addColumn('city', 'text', (column) => column.notNull())
        .addColumn('postal_code', 'text', (column) => column.notNull())
        .addColumn('country', 'text', (column) => column.notNull())
        .execute();
      await db.schema.createIndex('addresses_subject').on('addresses').column('subject').execute();
      await db.schema
        .createTable('preferences')
        .addColumn('subject', 'text', (column) => column.notNull())
        .addColumn('key', 'text', (column) => column.notNull())
        .addColumn('value', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('preferences_key', ['subject', 'key'])
        .execute();
      await db.schema
        .createTable('views')
        .addColumn('subject', 'text', (column) => column.notNull())
        .addColumn('product_id', 'text', (column) => column.notNull())
        .addColumn('viewed_at_ms', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('views_key', ['subject', 'product_id'])
        .execute();
    },
  },
};

/** Makes the row when there is none, and locks it until the transaction ends. */
export async function lockProfile(trx: Transaction<ProfileTables>, subject: string, nowMs: number): Promise<{ readonly joinedTo: string }> {
  const row = await trx
    .insertInto('profiles')
    .values({ subject, name: '', email: '', registered: 0, joined_to: '', updated_at_ms: nowMs })
    .onConflict((conflict) => conflict.column('subject').doUpdateSet({ updated_at_ms: nowMs }))
    .returning('joined_to')
    .executeTakeFirstOrThrow();
  return { joinedTo: row.joined_to };
}

/** A person who never wrote anything gets an empty profile, not an error. */
export async function readProfile(db: Database, subject: string): Promise<ProfileAnswer> {
  const profile = await db.selectFrom('profiles').select(['name', 'email']).where('subject', '=', subject).executeTakeFirst();
  const addresses = await db.selectFrom('addresses').selectAll().where('subject', '=', subject).orderBy('position').execute();
  const preferences = await db.selectFrom('preferences').select(['key', 'value']).where('subject', '=', subject).orderBy('key').execute();
  const views = await viewsOf(db, subject).execute();
  return {
    name: profile?.name ?? '',
    email: profile?.email ?? '',
    addresses: addresses.map((row) => ({
      addressId: row.address_id,
      name: row.name,
      line1: row.line1,
      line2: row.line2,
      city: row.city,
      postalCode: row.postal_code,
      country: row.country,
    })),
    preferences: Object.fromEntries(preferences.map(({ key, value }) => [key, value])),
    recentlyViewed: views.map((row) => row.product_id),
  };
}

/** Newest first. The id breaks ties, so that two reads agree. */
const viewsOf = (db: Database, subject: string) =>
  db
    .selectFrom('views')
    .select('product_id')
    .where('subject', '=', subject)
    .orderBy('viewed_at_ms', 'desc')
    .orderBy('product_id')
    .limit(viewCountMax);

/** Deletes the views beyond the end of the list. */
export async function trimViews(trx: Transaction<ProfileTables>, subject: string): Promise<void> {
  await trx.deleteFrom('views').where('subject', '=', subject).where('product_id', 'not in', viewsOf(trx, subject)).execute();
}
