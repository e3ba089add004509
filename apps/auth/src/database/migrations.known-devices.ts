import type { Kysely } from 'kysely';

/** Browsers that have proved an account's password (known-devices.ts). */
export interface KnownDevicesSchema {
  known_devices: {
    /** SHA-256 of the cookie's secret. */
    hash: string;
    subject: string;
    used_at_ms: number;
    forget_after_ms: number;
  };
}

export async function addKnownDevices(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('known_devices')
    .addColumn('hash', 'text', (c) => c.primaryKey())
    .addColumn('subject', 'text', (c) => c.notNull())
    .addColumn('used_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('forget_after_ms', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('known_devices_by_subject').on('known_devices').columns(['subject', 'used_at_ms']).execute();
  await db.schema.createIndex('known_devices_by_forget_after').on('known_devices').column('forget_after_ms').execute();
}
