/** A store of sessions that is slow or fails for one experiment. */
import { experimentBelow, faultsArmed, troubleAt, undergo } from '@cloakroom/platform';
import { type SessionStore, StoreUnavailable } from '@cloakroom/session';

const operations = ['create', 'resolve', 'rotate', 'refresh', 'revoke', 'list'] as const;

/** Puts the question before each operation of this store. */
export function withStoreFaults(store: SessionStore): SessionStore {
  for (const name of operations) {
    const operate = store[name].bind(store) as (...given: unknown[]) => Promise<never>;
    const throughFaults = (...given: unknown[]): Promise<never> =>
      faultsArmed() ? inTrouble(name, () => operate(...given)) : operate(...given);
    Object.assign(store, { [name]: throughFaults });
  }
  return store;
}

async function inTrouble(name: string, operate: () => Promise<never>): Promise<never> {
  await undergo(await troubleAt('session-store', name, experimentBelow()), () => new StoreUnavailable('a fault is switched on'));
  return operate();
}
