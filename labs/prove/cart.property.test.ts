/** The short proof of carts. `npm run prove` is the long one, with the same code. */
import { describe, expect, it } from 'vitest';
import { laws, serviceLaw } from './laws.ts';

const seed = Date.now() % 2 ** 31;
console.info(`cart.property.test.ts: seed ${seed}`);

describe('the laws of a cart', () => {
  for (const law of laws('short'))
    it(`${law.name}: ${law.says}`, { timeout: 60_000 }, async () => {
      const { counterExample } = await law.check({ seed, histories: law === serviceLaw ? 500 : 1_500 });
      if (counterExample === undefined) return;
      const { story, fault, replay } = counterExample;
      expect.fail(`${fault} (${replay})\n${story.map((line, at) => `${at + 1}. ${line}`).join('\n')}`);
    });
});
