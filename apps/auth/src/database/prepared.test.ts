/** A prepared query keeps its text, and never a row. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@cloakroom/platform';
import { openDatabase } from '@cloakroom/platform/database';
import { expect, it } from 'vitest';
import { type AuthSchema, migrations } from './migrations.ts';
import { prepared } from './prepared.ts';

const metaByName = prepared((database) => database.selectFrom('meta').select('value').where('name', '=', ''));

it('reads what another replica has written since, and each call its own row', async () => {
  const url = `sqlite:${join(await mkdtemp(join(tmpdir(), 'prepared-')), 'auth.db')}`;
  const open = () => openDatabase<AuthSchema>(url, migrations, { name: 'auth', log: createLogger('test', 'silent') });
  await using database = await open();
  await using another = await open();
  expect(await metaByName(database, ['a'])).toBeUndefined();
  await another.insertInto('meta').values({ name: 'a', value: '1' }).execute();
  await another.insertInto('meta').values({ name: 'b', value: '2' }).execute();
  expect(await Promise.all([metaByName(database, ['a']), metaByName(database, ['b'])])).toEqual([{ value: '1' }, { value: '2' }]);
  await another.updateTable('meta').set({ value: '3' }).where('name', '=', 'a').execute();
  expect(await metaByName(database, ['a'])).toEqual({ value: '3' });
  await another.deleteFrom('meta').where('name', '=', 'a').execute();
  expect(await metaByName(database, ['a'])).toBeUndefined();
});

it('is refused with another number of values than it has places', async () => {
  await using database = await openDatabase<AuthSchema>('sqlite::memory:', migrations, {
    name: 'auth',
    log: createLogger('test', 'silent'),
  });
  await expect(metaByName(database, [])).rejects.toThrow('another number of places');
});
