import { describe, expect, it } from 'vitest';
import { againstFound } from '../runner/judge.ts';
import { runLab } from '../runner/measure.ts';
import { lab } from './lab.ts';

describe('the lab sticky', { timeout: 120_000 }, () => {
  it('finds that sticky sessions lose those of a dead replica and of each redeploy, and a shared store none', async () => {
    const short = { ...lab, rounds: { quick: 1, full: 1 } };
    const result = await runLab(short, { quick: true, base: 0, dials: { people: 30 }, say: () => undefined });
    expect(againstFound(lab, result)).toEqual([]);
    const [sticky, shared] = result.samples;
    expect(sticky!.measured).toMatchObject({ 'signed out by a death': 10 });
    expect(sticky!.measured['signed out by a redeploy']).toBeGreaterThanOrEqual(30);
    expect(shared!.measured).toMatchObject({ 'signed out by a death': 0, 'signed out by a redeploy': 0 });
  });
  it('measures a sixth of the people lost to a death of one of six replicas, as its exercise teaches', async () => {
    const stage = await lab.open({ quick: true, base: 0, dials: { ...lab.exercise.set, people: 24 }, say: () => undefined });
    expect(await stage.measure('sticky', 0)).toMatchObject({ 'signed out by a death': 4 });
    await stage.close();
  });
});
