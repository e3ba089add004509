import type { Kysely } from 'kysely';

/** Token exchange asks what became of a session by its handle (first-hand.ts). */
export async function addRevocationsByHandle(db: Kysely<unknown>): Promise<void> {
  await db.schema.createIndex('revocations_by_handle').on('revocations').columns(['handle', 'revoked_at_ms']).execute();
}
