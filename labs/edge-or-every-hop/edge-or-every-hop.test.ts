import { expect, it } from 'vitest';
import { openStage } from './stage.ts';

it('a dead auth stops hops that ask, an edge alone lets an ended session on to a hop, and the feed of the shop prevents both', async () => {
  const stage = await openStage({ hopCount: 2, requestCount: 4 });
  try {
    const at = { near: false, rttMs: 0 };
    expect(await stage.measure({ ...at, check: 'every hop' }, true)).toMatchObject({
      questionsPerRequest: 2,
      acceptedS: 0,
      goodWithoutAuth: 0,
    });
    const alone = await stage.measure({ ...at, check: 'edge alone' }, true);
    expect(alone).toMatchObject({ questionsPerRequest: 1, goodWithoutAuth: 0 });
    // A passport lives for a minute.
    expect(alone.acceptedS).toBeGreaterThan(50);
    const fed = await stage.measure({ ...at, check: 'edge and feed' }, true);
    expect(fed).toMatchObject({ questionsPerRequest: 0, goodWithoutAuth: 100 });
    expect(fed.acceptedS).toBeLessThan(alone.acceptedS / 2);
  } finally {
    await stage.close();
  }
});
