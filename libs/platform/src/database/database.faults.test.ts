/** SQLite has one connection for all. So a slow database of one trainee must not make another wait for that connection. */
import { sql } from 'kysely';
import { afterEach, expect, it } from 'vitest';
import { armFaults, type Trouble, withExperiment } from '../faults.ts';
import { createLogger } from '../log.ts';
import { openDatabase } from './database.ts';
import { DatabaseUnavailable } from './database.unavailable.ts';

const none: Trouble = { delayMs: 0, fails: false, losesAnswer: false, oldMs: 0, holds: false };
afterEach(() => armFaults(undefined));

const open = () => openDatabase<Record<string, never>>('sqlite::memory:', {}, { name: 'orders', log: createLogger('test', 'silent') });
const forAda = (trouble: Partial<Trouble>): void =>
  armFaults((point, at, experiment) =>
    Promise.resolve(point === 'database' && at === 'orders' && experiment === 'ada' ? { ...none, ...trouble } : undefined),
  );

it('a statement of one trainee waits, and those of others go past it', async () => {
  await using database = await open();
  forAda({ delayMs: 300 });
  const order: string[] = [];
  const ask = (who: string) => withExperiment(who, () => sql`select 1`.execute(database)).then(() => order.push(who));
  await Promise.all([ask('ada'), ask('bob'), ask('cleo')]);
  expect(order).toEqual(['bob', 'cleo', 'ada']);
});

it('a statement and a transaction of one trainee fail, as those of a database that is away', async () => {
  await using database = await open();
  forAda({ fails: true });
  const statement = () => sql`select 1`.execute(database);
  const transaction = () => database.transaction().execute((inside) => sql`select 1`.execute(inside));
  for (const work of [statement, transaction]) {
    await expect(withExperiment('ada', work)).rejects.toThrow(DatabaseUnavailable);
    await expect(withExperiment('bob', work)).resolves.toBeDefined();
    await expect(work()).resolves.toBeDefined();
  }
});
