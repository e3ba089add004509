import type { Kysely } from 'kysely';

/** Notices about an account for its owner, bounded by person (notices.ts). */
export interface NoticesSchema {
  notices: {
    subject: string;
    at_ms: number;
    kind: string;
    /** How many recovery codes were left after a `recovery_code_used`. */
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

/** Nullable, since other kinds, and notices of an earlier version, have no count. */
export async function addCodesLeft(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('notices').addColumn('codes_left', 'integer').execute();
}
