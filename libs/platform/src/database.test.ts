import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Migration } from 'kysely/migration';
import { expect, it } from 'vitest';
import { createLogger, openDatabase } from './index.ts';

const log = createLogger('test', 'silent');
const migrations: Record<string, Migration> = {
  '001-notes': {
    up: async (db) => {
      await db.schema
        .createTable('notes')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('at', 'bigint')
        .execute();
    },
  },
};
interface Schema {
  notes: { id: string; at: number };
}

it('migrates once, keeps rows over a restart, and counts changes', async () => {
  const url = `sqlite:${join(mkdtempSync(join(tmpdir(), 'database-')), 'deep', 'x.sqlite')}`;
  const first = await openDatabase<Schema>(url, migrations, { log });
  const { numInsertedOrUpdatedRows } = await first.insertInto('notes').values({ id: 'a', at: 1_790_000_000_000 }).executeTakeFirstOrThrow();
  expect(numInsertedOrUpdatedRows).toBe(1n);
  await first.destroy();
  const second = await openDatabase<Schema>(url, migrations, { log });
  expect(await second.selectFrom('notes').selectAll().execute()).toEqual([{ id: 'a', at: 1_790_000_000_000 }]);
  expect(await second.deleteFrom('notes').where('id', '=', 'a').returning('id').execute()).toEqual([{ id: 'a' }]);
  await second.destroy();
});

it('refuses a Date instead of shifting the parameters', async () => {
  const db = await openDatabase<Schema>('sqlite::memory:', migrations, { log });
  await expect(
    db
      .insertInto('notes')
      .values({ id: new Date(0) as unknown as string, at: 1 })
      .execute(),
  ).rejects.toThrow(/cannot bind a Date/);
  await db.destroy();
});

it('rolls a failed transaction back whole', async () => {
  const db = await openDatabase<Schema>('sqlite::memory:', migrations, { log });
  await expect(
    db.transaction().execute(async (tx) => {
      await tx.insertInto('notes').values({ id: 'a', at: 1 }).execute();
      await tx.insertInto('notes').values({ id: 'a', at: 2 }).execute();
    }),
  ).rejects.toThrow(/UNIQUE/);
  expect(await db.selectFrom('notes').selectAll().execute()).toEqual([]);
  await db.destroy();
});
