import { expect, it } from 'vitest';
import { compareSticky, describeSticky } from './sticky.ts';

it(
  'sticky: loses the sessions of a dead replica and of every redeploy, where a shared store loses none, and stays lopsided',
  { timeout: 60_000 },
  async () => {
    const outcome = await compareSticky(30);
    const { sticky, shared } = outcome;
    expect(shared).toMatchObject({ lostToDeath: 0, lostToRedeploy: 0 });
    expect(sticky.lostToDeath).toBe(10);
    expect(sticky.lostToRedeploy).toBeGreaterThanOrEqual(30);
    expect(sticky.skewAfter, 'the replacement gets nobody').toBeGreaterThan(1.4);
    expect(shared.skewAfter).toBeLessThan(1.1);
    expect(describeSticky(outcome)).toContain('anti-pattern');
  },
);
