import { freshDatabaseUrl } from '../index.ts';
import type { Migration } from 'kysely/migration';
import { expect, it } from 'vitest';
import { createLogger } from '@cloakroom/platform';
import { openDatabase } from '@cloakroom/platform/database';

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
  const url = await freshDatabaseUrl('lasting');
  const first = await openDatabase<Schema>(url, migrations, { name: 'test', log });
  const { numInsertedOrUpdatedRows } = await first.insertInto('notes').values({ id: 'a', at: 1_790_000_000_000 }).executeTakeFirstOrThrow();
  expect(numInsertedOrUpdatedRows).toBe(1n);
  await first.destroy();
  const second = await openDatabase<Schema>(url, migrations, { name: 'test', log });
  expect(await second.selectFrom('notes').selectAll().execute()).toEqual([{ id: 'a', at: 1_790_000_000_000 }]);
  expect(await second.deleteFrom('notes').where('id', '=', 'a').returning('id').execute()).toEqual([{ id: 'a' }]);
  await second.destroy();
});

it('refuses a Date instead of shifting the parameters', async () => {
  const db = await openDatabase<Schema>('sqlite::memory:', migrations, { name: 'test', log });
  await expect(
    db
      .insertInto('notes')
      .values({ id: new Date(0) as unknown as string, at: 1 })
      .execute(),
  ).rejects.toThrow(/cannot bind a Date/);
  await db.destroy();
});

it('rolls a failed transaction back whole', async () => {
  const db = await openDatabase<Schema>(await freshDatabaseUrl(), migrations, { name: 'test', log });
  await expect(
    db.transaction().execute(async (tx) => {
      await tx.insertInto('notes').values({ id: 'a', at: 1 }).execute();
      await tx.insertInto('notes').values({ id: 'a', at: 2 }).execute();
    }),
  ).rejects.toThrow(/unique/i);
  expect(await db.selectFrom('notes').selectAll().execute()).toEqual([]);
  await db.destroy();
});

it('refuses a database of a newer version, and names what it does not know', async () => {
  const url = await freshDatabaseUrl('lasting');
  await (await openDatabase<Schema>(url, { ...migrations, '002-newer': { up: () => Promise.resolve() } }, { name: 'test', log })).destroy();
  await expect(openDatabase<Schema>(url, migrations, { name: 'test', log })).rejects.toThrow(/newer version: it has had 002-newer/);
});

it('lets a build of before start on what a later one has expanded, and expands once', async () => {
  const url = await freshDatabaseUrl('lasting');
  let runs = 0;
  const expansion = (column: string): Migration => ({
    up: async (db) => {
      runs += 1;
      await db.schema.alterTable('notes').addColumn(column, 'text').execute();
    },
  });
  const [one, two] = [{ '001-more': expansion('more') }, { '001-more': expansion('more'), '002-most': expansion('most') }];
  // This build, the next, this one again, one from before expansions, and the next again.
  for (const expansions of [one, two, one, undefined, two]) {
    const db = await openDatabase<Schema>(url, migrations, { name: 'test', log, ...(expansions && { expansions }) });
    await db
      .insertInto('notes')
      .values({ id: String(Math.random()), at: 1 })
      .execute();
    await db.destroy();
  }
  expect(runs).toBe(2);
});
