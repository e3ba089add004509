import type { Lab, Measured, Result, Statement } from '../runner/lab.ts';
import { middleOf } from '../runner/present.ts';
import { openSlowShop, type Pace, type Shop } from './checkout.ts';
import { hopNames, type HopName, idleIn, longestMs, openObserved, pathMs, type Told } from './observed.ts';

const answer = 'answer';
const own = 'own time';
const onPath = 'on the path';
const waited = 'delays waited for';

const allSlow = 'all slow';
/** The hops that are as fast as ever in an arm; the others are slow. */
const mended: Readonly<Record<string, readonly HopName[]>> = {
  [allSlow]: [],
  'without log': ['log'],
  'without profile': ['profile'],
  'without cart': ['cart'],
  'without catalog': ['catalog'],
  'without auth': ['auth'],
  'without cart and profile': ['cart', 'profile'],
};

/** Milliseconds, half of what is expected. A busy machine adds less than that to the fastest of some orders. */
const margin = 200;

/**
 * "Mending this hop is worth as much as mending auth", which is as slow as cart, and faster than profile and the log.
 * @param expectedMs by how much it is worth less
 */
const asGoodAsAuth = (arm: string, quantity: string, expectedMs: number, says: string): Statement => ({
  says,
  quantity,
  of: 'without auth',
  against: arm,
  as: 'difference',
  above: -expectedMs / 2,
  margin,
  found: 'does not hold',
  inQuick: inQuickOf(quantity),
});

const sooner = (of: string, against: string, quantity: string, expectedMs: number, says: string): Statement => ({
  says,
  quantity,
  of,
  against,
  as: 'difference',
  above: expectedMs / 2,
  margin,
  found: 'holds',
  inQuick: inQuickOf(quantity),
});

/** A short run on a busy machine cannot tell how long an answer takes, and can tell what it waited for. */
const inQuickOf = (quantity: string): Statement['inQuick'] => (quantity === answer ? 'shown' : 'held');

const delayOf = (ms: number, says: string) => ({
  value: ms,
  min: 10,
  max: 900,
  unit: 'ms',
  says,
});

export const lab: Lab = {
  name: 'critical-path',
  claim: 'the slowest hop is what to speed up',
  question:
    'Somebody orders, and every hop of that request is slow in its own way. Which of them, made fast, makes the answer come sooner?',
  needs: 'node',
  rounds: { quick: 1, full: 6 },
  prediction: {
    kind: 'choice',
    asks: 'An order takes about 1.2 s. Publishing its event takes 1000 ms, reading the address from profile 700, preparing the cart 400, its prices at catalog 400, and asking auth 400. One of them becomes fast. Which one helps most?',
    choices: {
      a: 'the log: 1000 ms, the slowest of all',
      b: 'profile: 700 ms, the slowest that was asked',
      c: 'cart: 400 ms',
      d: 'auth: 400 ms',
    },
    right: 'd',
  },
  dials: {
    auth: delayOf(400, 'the delay of AuthService/Resolve: an order asks it each time'),
    cart: delayOf(400, 'the delay of CartService/PrepareOrder'),
    catalog: delayOf(400, 'the delay of CatalogService/GetProducts, asked once cart has answered'),
    profile: delayOf(700, 'the delay of ProfileService/GetProfile, asked beside cart and catalog'),
    log: {
      ...delayOf(1_000, 'the delay of each publish on order.events'),
      max: 2_000,
    },
  },
  arms: Object.entries(mended).map(([name, fast]) => ({
    name,
    says: fast.length === 0 ? 'each hop has its delay' : `each hop has its delay, but for ${fast.join(' and ')}`,
  })),
  control: allSlow,
  quantities: {
    [answer]: {
      unit: 'ms',
      says: 'from the click to the answer of an order: the shortest of some, which other work of the machine has disturbed least',
    },
    [waited]: {
      unit: 'ms',
      says: 'the delays on the critical path of that order',
    },
    [own]: {
      unit: 'ms',
      says: 'how long the hop takes while all are slow: its longest span',
    },
    [onPath]: {
      unit: 'ms',
      says: 'its part of the critical path while all are slow, as the Observatory tells it',
    },
  },
  statements: [
    asGoodAsAuth('without log', answer, 400, 'mending the log, the slowest hop of all, is worth as much as mending auth'),
    sooner(allSlow, 'without auth', answer, 400, 'mending auth makes the answer come sooner'),
    asGoodAsAuth(
      'without profile',
      waited,
      400,
      'mending profile, the slowest that was asked, spares the answer as much waiting as mending auth',
    ),
    asGoodAsAuth('without cart', waited, 300, 'mending cart, which is as slow as auth, spares the answer as much waiting'),
    sooner('without cart', 'without cart and profile', waited, 300, 'mending cart and profile together spares more than cart alone'),
    sooner('without auth', 'without log', onPath, 400, 'the Observatory tells beforehand that auth is on the path and the log is not'),
  ],
  figure: (result) => ({
    title: 'How slow a hop is, and what it is worth to mend it',
    mark: 'bar',
    x: { field: 'ms', title: 'milliseconds', type: 'quantitative' },
    y: { field: 'hop', title: '', type: 'nominal' },
    series: 'what',
    points: hopNames.toReversed().flatMap((hop) => [
      {
        hop,
        what: 'its own time',
        ms: middleOf(result, `without ${hop}`, own),
      },
      {
        hop,
        what: 'on the critical path',
        ms: middleOf(result, `without ${hop}`, onPath),
      },
      { hop, what: 'gained without it', ms: gained(result, `without ${hop}`) },
    ]),
  }),
  exercise: {
    task: 'Profile takes 500 ms in place of 700. All else is as before: auth 400, cart 400 and catalog 400 one after the other, the log 1000.',
    set: { profile: 500 },
    asks: 'How many milliseconds sooner does the answer come now, when cart’s 400 ms are taken away?',
    unit: 'ms',
    answer: (result) => gained(result, 'without cart'),
    withinPart: 0.2,
    withinAtLeast: 60,
    why: 'Cart and catalog take 800 ms together, and profile runs beside them. Without cart they take 400, and then the answer waits for profile’s 500: 300 ms sooner. A step of the critical path is worth at most its length, and only down to the next longest way.',
  },
  async open({ quick, dials, base, say }) {
    const shop = await openSlowShop(base);
    try {
      return await stageIn(shop, { delays: dials as Record<HopName, number>, ...(quick ? paces.quick : paces.full) }, say);
    } catch (error) {
      await shop.stack.stop();
      throw error;
    }
  },
};

const gained = (result: Result, arm: string): number => middleOf(result, allSlow, answer) - middleOf(result, arm, answer);

/** A switch may reach the shop late, on a busy machine. */
const triesMax = 3;
/** Below the five minutes that an order wants, with a whole arm to spare. */
const signInAgainMs = 180_000;

/** The orders of each arm. A quick run decides by what an order waited for, and not by its time. */
const paces = {
  quick: { pace: { count: 2, apartMs: 250 }, warmUpTurns: 1 },
  full: { pace: { count: 5, apartMs: 450 }, warmUpTurns: 4 },
} as const;

interface Wanted {
  readonly delays: Readonly<Record<HopName, number>>;
  readonly pace: Pace;
  /** The first orders of a process take longer: its code is compiled while it runs. */
  readonly warmUpTurns: number;
}

async function stageIn(shop: Shop, { delays, pace, warmUpTurns }: Wanted, say: (line: string) => void) {
  const observed = await openObserved(shop.stack.observatory!);
  let buyers = await shop.buyers();
  let signedInMs = performance.now();
  for (let turn = 0; turn < warmUpTurns; turn++) await shop.orders(buyers, pace);
  const slow = new Map<HopName, number>();
  const become = async (fast: readonly HopName[]): Promise<void> => {
    for (const hop of hopNames) {
      if (!fast.includes(hop) && !slow.has(hop)) await observed.slow(hop, delays[hop]).then(() => slow.set(hop, delays[hop]));
      if (fast.includes(hop) && slow.delete(hop)) await observed.restore(hop);
    }
  };
  /** The fastest order whose spans show every delay: a lease that ends on a busy machine lets an order through without one. */
  const fastest = async (looked: readonly HopName[]): Promise<{ readonly told: Told; readonly tookMs: number }> => {
    if (performance.now() - signedInMs > signInAgainMs) [buyers, signedInMs] = [await shop.buyers(), performance.now()];
    const idle = new Set<HopName>();
    for (let tries = 1; tries <= triesMax; tries++) {
      for (const { traceId, tookMs } of await shop.orders(buyers, pace)) {
        const told = await observed.whole(traceId, looked);
        const without = idleIn(told, slow, looked);
        if (told !== undefined && without.length === 0) return { told, tookMs };
        for (const hop of without) idle.add(hop);
      }
    }
    throw new Error(`a delay did nothing: ${[...idle].join(', ')}`);
  };
  say('what the Observatory says of an order while all are slow');
  await become([]);
  const { told: beforehand } = await fastest(hopNames);
  return {
    async measure(arm: string): Promise<Measured> {
      const fast = mended[arm]!;
      await become(fast);
      // The log's delay comes after the answer, so it is waited for in one arm alone.
      const { told, tookMs } = await fastest(fast.length === 0 ? hopNames : hopNames.filter((hop) => hop !== 'log'));
      const [hop] = fast.length === 1 ? fast : [];
      const about = hop === undefined ? [0, 0] : [longestMs(beforehand, hop), pathMs(beforehand, hop)];
      return { [answer]: tookMs, [waited]: waitedFor(told, slow), [own]: about[0]!, [onPath]: about[1]! };
    },
    close: () => shop.stack.stop(),
  };
}

/** The delays alone. Whatever else a hop did on the path is its own work, or other work of the machine. */
const waitedFor = (told: Told, slow: ReadonlyMap<HopName, number>): number =>
  [...slow].reduce((sum, [hop, delayMs]) => sum + Math.min(delayMs, pathMs(told, hop)), 0);
