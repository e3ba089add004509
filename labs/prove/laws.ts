/** All laws that are proven about carts. */
import { randomLaw, type Law } from './law.ts';
import { pureLaws } from './laws.pure.ts';
import { twoRegionLaws } from './laws.regions.ts';
import { smallScopeLaws } from './laws.small-scope.ts';
import { story, tell } from './prove.steps.ts';
import { Telling } from './prove.story.ts';

/** Some hundred times as costly as the other laws, since each history runs a service. */
export const serviceLaw = randomLaw({
  name: 'the service, whatever happens',
  says: 'real commands, projectors and rebuilds, with sign-ins, late guests, lost answers, orders, crashes, replays and lost views: nothing is lost, nothing returns, nothing counts or is ordered twice',
  share: 20,
  made: story,
  async holds(steps) {
    const telling = await Telling.open();
    try {
      for (const step of steps) await telling.run(step);
      await telling.end();
    } finally {
      await telling.world.close();
    }
  },
  tell: (steps) => steps.map(tell),
});

export const laws = (depth: 'long' | 'short'): readonly Law[] => [
  ...pureLaws,
  ...smallScopeLaws(depth),
  ...twoRegionLaws(depth),
  serviceLaw,
];
