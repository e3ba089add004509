/** Runs each benchmark once, as short as possible, so that none rots between two releases. No figure is judged here. */
import { afterAll, expect, it, vi } from 'vitest';
import { cartReport } from './cart/cart.report.ts';
import { cartSizes } from './cart/cart.sizes.ts';
import { benchCart } from './cart/bench-cart.ts';
import { benchEdge } from './edge/edge.ts';
import { distanceReport } from './edge/edge.distance.ts';
import { edgeReport } from './edge/edge.report.ts';
import { againMark } from './measuring/load.ts';
import { describeMachine } from './measuring/machine.ts';
import { modes } from './measuring/people.ts';
import { benchObservatory } from './observatory/observatory.ts';
import { observatoryReport } from './observatory/observatory.report.ts';
import { benchPeers } from './edge/peers.ts';
import { peersReport } from './edge/peers.report.ts';
import { benchRevocation } from './sessions/revocation.ts';
import { revocationReport } from './sessions/revocation.report.ts';
import { benchStore } from './sessions/store.ts';
import { storeReport } from './sessions/store.report.ts';

const base = Number(process.env['BENCH_TEST_PORT_BASE'] ?? 26_500);
const machine = describeMachine(new Date());
const timeout = 420_000;
const spoken = vi.spyOn(console, 'log').mockImplementation(() => undefined);
afterAll(() => spoken.mockRestore());

it(
  'edge: the gateway answers the same bytes as the floor, in every mode that is allowed',
  async () => {
    const measured = await benchEdge({
      base,
      pairs: 1,
      seconds: 0.2,
      storeRttsMs: [0, 1],
      modes,
      coldSessionCount: 1_000,
      personCount: 2,
      warmUpSeconds: 0,
      halfLoad: true,
      profile: false,
    });
    const names = measured!.points.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        'floor: cart',
        'anonymous',
        'reference',
        'hybrid warm',
        'hybrid cold',
        'hybrid cold, store +1 ms',
        `floor: cart${againMark}`,
      ]),
    );
    expect(edgeReport(measured!, machine, 'x').verdicts.length).toBeGreaterThanOrEqual(6);
    expect(distanceReport(measured!, machine, 'x').tables[0]!.rows.find(([name]) => name === 'hybrid cold')).toEqual(
      expect.arrayContaining([expect.stringMatching(/ ms$/), expect.stringMatching(/ ms$/)]),
    );
  },
  timeout,
);

it(
  'peers: every peer answers the cart with a session',
  async () => {
    const measured = await benchPeers({ base, pairs: 1, seconds: 0.2, personCount: 2, warmUpSeconds: 0 });
    expect(measured.fronts).toHaveLength(8);
    expect(peersReport(measured, machine, 'x').verdicts).toHaveLength(3);
  },
  timeout,
);

it(
  'revocation: no acceptance beyond the bound, the feed there or cut',
  async () => {
    const measured = await benchRevocation({
      base,
      modes: ['reference', 'hybrid'],
      trials: 20,
      cuts: 1,
      sessionsPerCut: 10,
      personCount: 2,
    });
    const report = revocationReport(measured, machine, 'x');
    expect(report.verdicts.at(-1)!.measured).toMatch(/^0 in /);
  },
  timeout,
);

it(
  'store: a read asks no script, and every other operation is one script, whatever the machine does',
  async () => {
    const measured = await benchStore({ base, pairs: 1, seconds: 0.1, sessionCountMax: 1_000 });
    const { resolve, 'resolve and touch': touch, ...others } = measured.commands;
    expect([resolve, touch, ...new Set(Object.values(others))]).toEqual(['MGET, INFO', 'MGET, INFO, EVALSHA', 'EVALSHA']);
    expect(storeReport(measured, machine, 'x').tables).toHaveLength(4);
  },
  timeout,
);

it(
  'cart: no addition is lost, every command is seen, and the view comes back by one write a batch',
  async () => {
    const measured = await benchCart({ ...cartSizes.quick, base, profile: false });
    expect(measured!.visible.flatMap(({ blocks }) => blocks.map(({ unseen }) => unseen))).toEqual([0, 0, 0]);
    const judged = cartReport(measured!, machine, 'x').verdicts.filter(({ goal }) => /no addition is lost|one write/.test(goal));
    expect(judged.map(({ met }) => met)).toEqual([true, true]);
  },
  // Two worlds, with nine programs in each.
  2 * timeout,
);

it(
  'observatory: the same services are measured without it, watched, and with fault points alone',
  async () => {
    const measured = await benchObservatory({
      base,
      pairs: 2,
      // Processes send their spans in batches: in a shorter block the Observatory would work for the block before.
      seconds: 2,
      personCount: 2,
      warmUpSeconds: 0,
      burstPairs: 2,
      profile: false,
    });
    const { observed, alone } = measured!.saturated;
    const ofObservatory = (blocks: typeof observed): number => blocks.reduce((sum, { cpuUs }) => sum + cpuUs['observatory']!, 0);
    // The Observatory works for the requests that it is told of, and for no others.
    expect(ofObservatory(observed)).toBeGreaterThan(ofObservatory(alone));
    expect(observatoryReport(measured!, machine, 'x').verdicts).toHaveLength(3);
  },
  timeout,
);
