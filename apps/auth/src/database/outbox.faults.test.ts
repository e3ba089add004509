/** auth commits one change at a time, for all people. So a slow database of one trainee must not make another wait for a turn. */
import { armFaults, createLogger, type Trouble, withExperiment } from '@cloakroom/platform';
import { openDatabase } from '@cloakroom/platform/database';
import { afterEach, expect, it } from 'vitest';
import { type AuthSchema, migrations } from './migrations.ts';
import { openOutbox } from './outbox.ts';

const none: Trouble = { delayMs: 0, fails: false, losesAnswer: false, oldMs: 0, holds: false };
afterEach(() => armFaults(undefined));

const open = () => openDatabase<AuthSchema>('sqlite::memory:', migrations, { name: 'auth', log: createLogger('test', 'silent') });

it('a change of a trainee whose database is slow waits, and those of others go past it', async () => {
  await using database = await open();
  const outbox = openOutbox(database);
  armFaults((point, at, experiment) =>
    Promise.resolve(point === 'database' && at === 'auth' && experiment === 'ada' ? { ...none, delayMs: 300 } : undefined),
  );
  const order: string[] = [];
  const commit = (who: string) => withExperiment(who, () => outbox.commit(() => Promise.resolve())).then(() => order.push(who));
  await Promise.all([commit('ada'), commit('bob'), commit('cleo')]);
  expect(order).toEqual(['bob', 'cleo', 'ada']);
});

it('a change meets everybody’s trouble once, before its turn', async () => {
  await using database = await open();
  const outbox = openOutbox(database);
  const met: (string | undefined)[] = [];
  armFaults((_point, _at, experiment) => {
    met.push(experiment);
    return Promise.resolve(undefined);
  });
  await withExperiment('ada', () => outbox.commit((trx) => trx.selectFrom('outbox').selectAll().execute()));
  expect(met).toEqual(['ada']);
});
