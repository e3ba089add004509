import type { Kysely } from 'kysely';

/** What a person is told of their account. Bounded by person (notices.ts). */
export interface NoticesSchema {
  notices: {
    subject: string;
    at_ms: number;
    kind: string;
    /** Of `recovery_code_used`: how many there were after it. */
    codes_left: number | null;
  };
}

export async function addNotices(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('notices')
    .addColumn('subject', 'text', (c) => c.notNull())
    .addColumn('at_ms', 'bigint', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('notices_key', ['subject', 'at_ms', 'kind'])
    .execute();
}

/** Nullable: other kinds, and notices of an earlier version, count nothing. */
export async function addCodesLeft(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('notices').addColumn('codes_left', 'integer').execute();
}
