/** Two regions sell one stock, on whatever database the suite is given. */
import { isProblem } from '@cloakroom/contracts';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { getProducts } from '../get-products.ts';
import { planTransfer } from './share.state.ts';
import { newId, of, sold, TwoShelves } from './two-shelves.harness.ts';

const seedOfRun = Date.now() % 2 ** 31;
const runs = 40;
const first = [20, 8, 1];

let shelves: TwoShelves;
beforeAll(async () => {
  shelves = await TwoShelves.open(first);
});
afterAll(() => shelves.close());
beforeEach(() => shelves.renew(first));

const short = (answer: Awaited<ReturnType<TwoShelves['buyInUs']>>) => {
  if (isProblem(answer)) throw new Error(answer.problem);
  return answer.short;
};
const cut = async (): Promise<void> => {
  shelves.weather = 'lost';
  await shelves.share.round();
  await shelves.share.round();
};
const stocks = async () => [await shelves.left(shelves.eu), await shelves.left(shelves.us)];
/** The stock of the first product in eu and in us. */
const firstStocks = async () => (await stocks()).map(([amount]) => amount);

describe('a share of the stock', () => {
  it('begins with nothing, whatever this region counted before, and is a quarter after the first answer', async () => {
    await shelves.us.updateTable('products').set({ stock: 50 }).execute();
    await shelves.us.deleteFrom('own_share').execute();
    await shelves.restartUs();
    expect(await stocks()).toEqual([first, [0, 0, 0]]);
    await shelves.share.round();
    expect(await stocks()).toEqual([
      [15, 6, 1],
      [5, 2, 0],
    ]);
  });
  it('is filled for an order that wants more than it has, to the last one of the decider', async () => {
    expect(short(await shelves.buyInUs(newId(), of(20, 8, 1)))).toEqual([]);
    expect(await stocks()).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(short(await shelves.buyInUs(newId(), of(1)))).toEqual([{ productId: sold[0], quantity: 0 }]);
    expect(short(await shelves.buyInEu(newId(), of(1)))).toEqual([{ productId: sold[0], quantity: 0 }]);
  });
  it('is all that is sold in a cut, until it is used up; after the heal the rest is sold', async () => {
    await shelves.share.round();
    await cut();
    expect(short(await shelves.buyInUs(newId(), of(3)))).toEqual([]);
    expect(short(await shelves.buyInUs(newId(), of(3)))).toEqual([{ productId: sold[0], quantity: 2 }]);
    expect(short(await shelves.buyInUs(newId(), of(2)))).toEqual([]);
    expect(short(await shelves.buyInUs(newId(), of(1)))).toEqual([{ productId: sold[0], quantity: 0 }]);
    expect(short(await shelves.buyInEu(newId(), of(15)))).toEqual([]);
    shelves.weather = 'open';
    expect(short(await shelves.buyInUs(newId(), of(0, 8)))).toEqual([]);
    expect(await shelves.total()).toEqual(first);
  });
  it('goes back when the decider has nothing left, so that its last one can be sold there', async () => {
    await shelves.share.round();
    expect(short(await shelves.buyInEu(newId(), of(15)))).toEqual([]);
    for (let rounds = 0; rounds < 3; rounds += 1) await shelves.share.round();
    expect(await firstStocks()).toEqual([4, 1]);
    expect(short(await shelves.buyInEu(newId(), of(4)))).toEqual([]);
    for (let rounds = 0; rounds < 3; rounds += 1) await shelves.share.round();
    expect(await firstStocks()).toEqual([1, 0]);
  });
  it('has what a cancelled order gave back, and the decider gets what is too much', async () => {
    const order = newId();
    await shelves.buyInUs(order, of(16));
    await shelves.cancelInUs(order);
    await shelves.share.round();
    await shelves.share.round();
    expect(await firstStocks()).toEqual([15, 5]);
  });
  it('gets what was granted although the answer was lost, once, also after a restart', async () => {
    await shelves.share.round();
    shelves.weather = 'unanswered';
    expect(short(await shelves.buyInUs(newId(), of(7)))).toEqual([{ productId: sold[0], quantity: 5 }]);
    expect(await shelves.underWay()).toEqual([2, 0, 0]);
    await shelves.restartUs();
    shelves.weather = 'repeated';
    await shelves.share.round();
    expect(await shelves.total()).toEqual(first);
    expect(short(await shelves.buyInUs(newId(), of(7)))).toEqual([]);
    expect(await shelves.total()).toEqual(first);
  });
  it('is worth nothing at a decider that lost its data, and gives nothing old back to it', async () => {
    const order = newId();
    await shelves.buyInUs(order, of(3));
    await shelves.loseEu(first);
    await shelves.share.round();
    await shelves.cancelInUs(order);
    await shelves.share.round();
    expect(await shelves.total()).toEqual(first);
  });
  it('that lost its own data is lost, and is not sold twice', async () => {
    await shelves.share.round();
    await shelves.us.deleteFrom('own_share').execute();
    await shelves.restartUs();
    await shelves.share.round();
    expect((await shelves.total())[0]).toBe(15);
  });
  it('answers an order again as it did, without asking', async () => {
    const order = newId();
    await shelves.buyInUs(order, of(3));
    const before = await stocks();
    await cut();
    expect(short(await shelves.buyInUs(order, of(3)))).toEqual([]);
    expect(await stocks()).toEqual(before);
  });
});

describe('what a page shows', () => {
  const shown = async () => {
    const found = await getProducts(shelves.us, { productIds: sold.slice(0, 1) }, shelves.share);
    return isProblem(found) ? found : found.items.map(({ stock, stockHeardAtMs }) => [stock, Number(stockHeardAtMs)])[0];
  };
  it('is the share and what the decider has; in a cut the share alone, and since when', async () => {
    await shelves.share.round();
    expect(await shown()).toEqual([20, 0]);
    const heardAtMs = shelves.nowMs;
    shelves.nowMs += 5_000;
    shelves.weather = 'lost';
    await shelves.share.round();
    expect(await shown()).toEqual([20, 0]);
    await shelves.share.round();
    expect(await shown()).toEqual([5, heardAtMs]);
    shelves.weather = 'open';
    await shelves.share.round();
    expect(await shown()).toEqual([20, 0]);
  });
});

it('a plan never returns what it wants, and never more than the share', () => {
  const amount = fc.nat(50);
  fc.assert(
    fc.property(amount, amount, fc.nat(5), (share, rest, missing) => {
      const plan = planTransfer(new Map([['a', share]]), { left: new Map([['a', rest]]), missing: new Map([['a', missing]]) });
      expect(plan.wanted.length + plan.returned.length).toBeLessThanOrEqual(1);
      expect(plan.returned[0]?.quantity ?? 0).toBeLessThanOrEqual(share);
      expect(plan.wanted[0]?.quantity ?? 0).toBeGreaterThanOrEqual(missing);
    }),
    { seed: seedOfRun },
  );
});

const quantities = fc.tuple(fc.nat(5), fc.nat(3), fc.nat(2)).filter((amounts) => amounts.some((amount) => amount > 0));
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ buy: fc.constantFrom('eu' as const, 'us' as const), amounts: quantities }) },
    { weight: 2, arbitrary: fc.record({ cancel: fc.nat(20) }) },
    {
      weight: 3,
      arbitrary: fc.record({ weather: fc.constantFrom('open' as const, 'lost' as const, 'unanswered' as const, 'repeated' as const) }),
    },
    { weight: 2, arbitrary: fc.constant('round' as const) },
    { weight: 1, arbitrary: fc.constant('crash' as const) },
  ),
  { minLength: 1, maxLength: 30 },
);

it(`any history of orders, cuts, lost and repeated messages and crashes keeps every article, and sells none twice (seed ${seedOfRun}, ${runs} runs)`, async () => {
  const property = fc.asyncProperty(fc.tuple(fc.nat(30), fc.nat(12), fc.nat(4)), steps, async (stock, history) => {
    await shelves.renew(stock);
    const orders: { readonly id: string; readonly region: 'eu' | 'us' }[] = [];
    for (const step of history) {
      if (step === 'round') await shelves.share.round();
      else if (step === 'crash') await shelves.restartUs();
      else if ('weather' in step) shelves.weather = step.weather;
      else if ('cancel' in step) {
        const order = orders[step.cancel % Math.max(1, orders.length)];
        if (order !== undefined) await (order.region === 'eu' ? shelves.cancelInEu(order.id) : shelves.cancelInUs(order.id));
      } else {
        const order = { id: newId(), region: step.buy };
        orders.push(order);
        await (step.buy === 'eu' ? shelves.buyInEu(order.id, of(...step.amounts)) : shelves.buyInUs(order.id, of(...step.amounts)));
      }
      expect(await shelves.total()).toEqual(stock);
      for (const side of await stocks()) expect(Math.min(...side)).toBeGreaterThanOrEqual(0);
    }
    shelves.weather = 'open';
    for (let rounds = 0; rounds < 3; rounds += 1) await shelves.share.round();
    expect(await shelves.underWay()).toEqual([0, 0, 0]);
    expect(await shelves.total()).toEqual(stock);
  });
  await fc.assert(property, { seed: seedOfRun, numRuns: runs });
});
