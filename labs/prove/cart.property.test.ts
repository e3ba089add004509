/** The short proof of carts. `npm run prove` is the long one, with the same code. */
import { describe, expect, it } from 'vitest';
import type { Law } from './law.ts';
import { regionsLaw } from './laws.regions.ts';
import { laws, serviceLaw } from './laws.ts';

const seed = Date.now() % 2 ** 31;
console.info(`cart.property.test.ts: seed ${seed}`);

/** The last two run services, and cost some hundred times as much as the others. */
function historiesOf(law: Law): number {
  if (law === serviceLaw) return 500;
  return law === regionsLaw ? 150 : 1_500;
}

describe('the laws of a cart', () => {
  for (const law of laws('short'))
    it(`${law.name}: ${law.says}`, { timeout: 240_000 }, async () => {
      const { counterExample } = await law.check({ seed, histories: historiesOf(law) });
      if (counterExample === undefined) return;
      const { story, fault, replay } = counterExample;
      expect.fail(`${fault} (${replay})\n${story.map((line, at) => `${at + 1}. ${line}`).join('\n')}`);
    });
});
