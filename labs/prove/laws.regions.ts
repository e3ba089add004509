/** The laws of a cart over two logs. docs/regions.md says what runs; here the schedule of copies and cuts is made up. */
import { randomLaw, type Law, type Outcome } from './law.ts';
import { crossings, tellCrossing, TwoRegions, type Crossing } from './prove.regions.ts';

/** Steps for the small scope. One region acts while it has not heard of the other, and a death outlives a cut of 46 days. */
const happenings: readonly Crossing[] = [
  { do: 'send', region: 0, who: 'user', command: { kind: 'add', line: 'mug', quantity: 1 }, fresh: false },
  { do: 'send', region: 1, who: 'guest', command: { kind: 'add', line: 'mug', quantity: 2 }, fresh: false },
  { do: 'send', region: 0, who: 'guest', command: { kind: 'add', line: 'mug', quantity: 4 }, fresh: false },
  { do: 'sign-in' },
  { do: 'again', nth: 0, region: 1 },
  { do: 'clash', nth: 0, region: 1, of: 'its line' },
  { do: 'clash', nth: 0, region: 1, of: 'another line' },
  { do: 'project', region: 0, of: 'own', who: 'user', count: 9, fate: 'well' },
  { do: 'copy', to: 1, count: 9, again: 0 },
];

/** A prefix that takes more steps than the small scope has. So does the next one. */
const removedInACut: readonly Crossing[] = [
  { do: 'send', region: 0, who: 'user', command: { kind: 'add', line: 'mug', quantity: 1 }, fresh: false },
  { do: 'again', nth: 0, region: 1 },
  { do: 'send', region: 0, who: 'user', command: { kind: 'remove', line: 'mug' }, fresh: false },
  { do: 'project', region: 0, of: 'own', who: 'user', count: 9, fate: 'well' },
  { do: 'days', count: 46 },
];

/** The projector of us passes what the guest did before the claim is known there. Then its view is lost. */
const lostBeforeTheSignIn: readonly Crossing[] = [
  { do: 'send', region: 1, who: 'guest', command: { kind: 'add', line: 'mug', quantity: 2 }, fresh: false },
  { do: 'project', region: 1, of: 'own', who: 'guest', count: 9, fate: 'well' },
  { do: 'wipe', region: 1, who: 'guest' },
];

async function faultOf(steps: readonly Crossing[]): Promise<string | undefined> {
  const regions = await TwoRegions.open();
  try {
    let acted = true;
    for (const step of steps) acted = await regions.run(step);
    if (!acted) return 'idle';
    await regions.end();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    await regions.close();
  }
}

const smallScope = (stepsMax: number): Law => ({
  name: 'every meeting of two regions',
  says: `${stepsMax} steps or fewer of a user, its guest and two regions, and the same after a removal in a cut of 46 days, and after a view was lost: after the heal both regions show the same cart, and nothing is lost, doubled or back`,
  share: 0,
  async check({ onProgress }) {
    let histories = 0;
    const visit = async (steps: readonly Crossing[], left: number): Promise<Outcome | undefined> => {
      const fault = steps.length === 0 ? undefined : await faultOf(steps);
      if (fault === 'idle') return undefined;
      histories += 1;
      if (histories % 500 === 0) onProgress?.(histories);
      if (fault !== undefined)
        return { histories, counterExample: { story: steps.map(tellCrossing), fault, replay: 'no seed: it is always found' } };
      for (const step of left === 0 ? [] : happenings) {
        const found = await visit([...steps, step], left - 1);
        if (found !== undefined) return found;
      }
      return undefined;
    };
    for (const [behind, count] of [
      [[], stepsMax],
      [removedInACut, 1],
      [lostBeforeTheSignIn, 1],
    ] as const) {
      const found = await visit(behind, count);
      if (found !== undefined) return found;
    }
    return { histories };
  },
});

/** As costly as the law of the service. */
export const regionsLaw = randomLaw({
  name: 'two regions, whatever crosses',
  says: 'commands, sign-ins and orders in two regions, copies that come late, twice, or after a cut of weeks, crashes and lost views: after the heal both regions show the same cart, and nothing is lost, doubled or back',
  share: 10,
  made: crossings,
  async holds(steps) {
    const regions = await TwoRegions.open();
    try {
      for (const step of steps) await regions.run(step);
      await regions.end();
    } finally {
      await regions.close();
    }
  },
  tell: (steps) => steps.map(tellCrossing),
});

export const twoRegionLaws = (depth: 'long' | 'short'): readonly Law[] => [smallScope(depth === 'long' ? 4 : 3), regionsLaw];
