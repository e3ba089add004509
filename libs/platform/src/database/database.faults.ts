/** A database that is slow or fails for one experiment. It is asked before a connection is taken, so that nobody else waits behind it. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Kysely } from 'kysely';
import { experimentBelow, faultsArmed, troubleAt, undergo, withoutExperiment } from '../faults.ts';
import { DatabaseUnavailable } from './database.unavailable.ts';

/** Set below work that met its trouble before it queued. */
const met = new AsyncLocalStorage<true>();

/** Statements and transactions take their connection here. @param name the service, as a switch names it */
export function withFaults<Schema>(database: Kysely<Schema>, name: string): Kysely<Schema> {
  const executor = database.getExecutor();
  const provide = executor.provideConnection.bind(executor);
  const inTrouble: typeof provide = async (consumer, options) => {
    if (met.getStore() === undefined) await meet(name);
    return provide(consumer, options);
  };
  executor.provideConnection = (consumer, options) => (faultsArmed() ? inTrouble(consumer, options) : provide(consumer, options));
  return database;
}

/**
 * Runs work that queues before it takes a connection. It meets the trouble of its call here, before the queue, and none inside: others wait behind it
 * there. @param name as in `withFaults`
 */
export function queueAfterFaults<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  return faultsArmed() ? afterFaults(name, work) : work();
}

async function afterFaults<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  await meet(name);
  return met.run(true, () => withoutExperiment(work));
}

async function meet(name: string): Promise<void> {
  await undergo(await troubleAt('database', name, experimentBelow()), () => new DatabaseUnavailable('a fault is switched on'));
}
