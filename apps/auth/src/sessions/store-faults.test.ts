import { armFaults, type Trouble, withExperiment } from '@cloakroom/platform';
import { MemorySessionStore, StoreUnavailable } from '@cloakroom/session';
import { afterEach, expect, it } from 'vitest';
import { withStoreFaults } from './store-faults.ts';

const none: Trouble = { delayMs: 0, fails: false, losesAnswer: false, oldMs: 0, holds: false };
afterEach(() => armFaults(undefined));

const store = withStoreFaults(new MemorySessionStore({ incarnation: 'one' }));
store.onIncarnationChange(() => Promise.resolve());
const resolve = () => store.resolve({ tag: 'abcd', hash: 'unknown' }, Date.now(), undefined);
const forAda = (trouble: Partial<Trouble>): void =>
  armFaults((point, at, experiment) =>
    Promise.resolve(point === 'session-store' && at === 'resolve' && experiment === 'ada' ? { ...none, ...trouble } : undefined),
  );

it('the store fails for one trainee, and answers the others', async () => {
  forAda({ fails: true });
  await expect(withExperiment('ada', resolve)).rejects.toThrow(StoreUnavailable);
  await expect(withExperiment('bob', resolve)).resolves.toBeUndefined();
  await expect(resolve()).resolves.toBeUndefined();
});

it('the store is slow for one trainee, and the others go past', async () => {
  forAda({ delayMs: 200 });
  const order: string[] = [];
  const ask = (who: string) => withExperiment(who, resolve).then(() => order.push(who));
  await Promise.all([ask('ada'), ask('bob')]);
  expect(order).toEqual(['bob', 'ada']);
});
