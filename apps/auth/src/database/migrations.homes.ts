import { createHash } from 'node:crypto';
import { type Kysely, sql } from 'kysely';

export interface HomesSchema {
  /** Addresses that this region decides and gave to the other region (accounts/addresses.ts). */
  given_addresses: { email_sha256: string; turn: number };
  /** Addresses that the other region decides and this one gave up: the last turn that is worth nothing any more. */
  given_up_addresses: { email_sha256: string; turn: number };
}

/** Base64url of the SHA-256 of an address in its normal form. The other region's people are not listed here by their e-mails. */
export const addressHash = (email: string): string => createHash('sha256').update(email).digest('base64url');

/** An older build writes accounts without a home, and addresses that no decider has heard of. Those of before are the same (accounts/tell-deciders.ts). */
export async function addHomes(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('accounts')
    .addColumn('home', 'text', (c) => c.notNull().defaultTo(''))
    .execute();
  await db.schema
    .alterTable('accounts')
    .addColumn('told_email', 'text', (c) => c.notNull().defaultTo(''))
    .execute();
  await db.schema
    .createIndex('accounts_to_tell')
    .on('accounts')
    .column('id')
    .where(sql<boolean>`told_email <> email`)
    .execute();
  for (const table of ['given_addresses', 'given_up_addresses'] as const) {
    await db.schema
      .createTable(table)
      .addColumn('email_sha256', 'text', (c) => c.primaryKey())
      .addColumn('turn', 'integer', (c) => c.notNull())
      .execute();
  }
}
