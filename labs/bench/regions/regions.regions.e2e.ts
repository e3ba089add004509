/** The benchmark, as short as possible, on the two regions that run for the other tests, so that it does not rot. No figure is judged here. */
import { expect, test } from '@playwright/test';
import { dataDir, portBase } from '../../../e2e/kit/stack.ts';
import { describeMachine } from '../measuring/machine.ts';
import { cuts } from './regions.cut.ts';
import { regionsReport } from './regions.report.ts';
import { regionsSizes } from './regions.sizes.ts';
import { measureRegions, rttsMs } from './regions.ts';
import { places, regionsAt } from './regions.world.ts';

test.setTimeout(900_000);

test('everything is measured at home and abroad, at each length of the ocean and while it is cut', async () => {
  const regions = regionsAt(portBase, dataDir);
  try {
    const measured = await measureRegions(regions, regionsSizes.quick);
    const kinds = new Set(measured.timed.map(({ operation }) => operation));
    expect(kinds.size).toBeGreaterThanOrEqual(7);
    expect(measured.timed).toHaveLength(kinds.size * rttsMs.length * places.length);
    expect(measured.lags).toHaveLength(regionsSizes.quick.trials);
    const report = regionsReport(measured, describeMachine(new Date()), 'x');
    expect(report.tables).toHaveLength(2 + cuts.length);
    // Whatever the machine does: nothing that needs home is served abroad while home is away.
    const [{ met, measured: told }] = [report.verdicts.at(-1)!];
    expect(met, told).toBe(true);
  } finally {
    await regions.ocean({ do: 'heal' });
    await regions.close();
  }
});
