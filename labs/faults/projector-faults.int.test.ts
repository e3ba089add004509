/** Is the checker of histories (libs/testing) worth anything on a running shop? One whose projector is broken must be found out. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkHistory, report, runWorkload } from '@cloakroom/testing';
import { expect, it } from 'vitest';
import { startStack } from '../../infra/launch/harness.ts';
import { testBases } from '../../infra/stack/test-bases.ts';
import { preloadOf } from './preload.ts';
import { projectorFaults } from './projector-faults.ts';

const base = testBases['planted-faults'];
const seed = Math.floor(Math.random() * 1_000_000);

it.each(projectorFaults)(`finds out a shop where $name (seed ${seed})`, { timeout: 240_000 }, async ({ name, foundAs }) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'projector-fault-'));
  const stack = await startStack({ provider: 'embedded', base, dataDir, fresh: true, preload: preloadOf(name) });
  try {
    const { gateways } = stack;
    const found = foundAs !== undefined;
    // One that never settles need not be waited for.
    const history = await runWorkload({ gateways, seed, durationMs: 5_000, settleMs: found ? 1_000 : 15_000, withCheckout: false });
    const verdict = checkHistory(history);
    const kinds = verdict.anomalies.map(({ kind }) => kind);
    if (found) expect(kinds).toContain(foundAs);
    else if (!verdict.ok) throw new Error(report(verdict, history));
  } finally {
    await stack.stop();
    await rm(dataDir, { recursive: true });
  }
});
