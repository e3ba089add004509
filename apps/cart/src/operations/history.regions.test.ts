import { expect, it, vi } from 'vitest';
import { systemClock } from '@cloakroom/platform';
import { accepted, newGuest, newUser, quantitiesOf, type Harness } from '../cart.harness.ts';
import { partitionOfCart } from '../reads/consistency.ts';
import { openRegions } from '../regions.harness.ts';
import { jsonRow, tableRow } from './history.print.ts';
import { readHistory, type Step } from './history.ts';

const patience = { timeout: 60_000, interval: 20 };
const historyOf = async ({ eventLog, topics }: Harness, cartId: string): Promise<Step[]> => {
  const steps: Step[] = [];
  await readHistory({ eventLog, topics, clock: systemClock }, cartId, (step) => steps.push(step));
  return steps;
};

it('a history of either region ends at the cart of both views, though each heard the other one late', { timeout: 180_000 }, async () => {
  const shop = await openRegions();
  try {
    const both = [shop.eu, shop.us];
    const show = (subject: string, expected: Record<string, number>) =>
      vi.waitFor(async () => {
        for (const cart of both) expect(quantitiesOf(await cart.get(subject))).toEqual(expected);
      }, patience);
    const [guest, ada] = [newGuest(), newUser()];
    accepted(await shop.us.add(guest, 'mug', 2));
    await show(guest, { mug: 2 });
    shop.cut();
    accepted(await shop.eu.add(ada, 'cup', 1));
    const { seen } = accepted(await shop.us.add(ada, 'hat', 3));
    accepted(await shop.us.remove(ada, 'hat', seen!));
    await shop.us.claim(guest, ada);
    // This one is unreadable in every region.
    await shop.logs.us.publish(shop.us.topics.events, [{ key: ada, value: Buffer.from('x') }]);
    shop.heal();
    await show(ada, { cup: 1, mug: 2 });
    await vi.waitFor(async () => {
      for (const cart of both) expect((await cart.get(ada)).incomplete).toBe(true);
    }, patience);

    for (const cart of both) {
      const steps = await historyOf(cart, ada);
      const { carts } = await cart.view.load(partitionOfCart(cart.parts, ada), [ada]);
      const { state, missing, inRegions } = steps.at(-1)!.after;
      const view = carts.get(ada)!;
      expect({ state, missing, inRegions }).toEqual({ state: view.state, missing: view.missing, inRegions: view.inRegions });
      const times = steps.map(({ atMs }) => atMs);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      expect(new Set(steps.map(({ region }) => region ?? cart.parts.region))).toEqual(new Set(['eu', 'us']));
    }
    const steps = await historyOf(shop.eu, ada);
    const unreadable = steps.find(({ event }) => event === undefined)!;
    expect(tableRow(steps.at(-1)!, 'eu')).toContain(`INCOMPLETE, waits for ${unreadable.offset} of us`);
    expect(JSON.parse(jsonRow(unreadable, 'eu'))).toMatchObject({
      region: 'us',
      after: { missing: [], missingOfOthers: [{ region: 'us', offset: String(unreadable.offset) }] },
    });
  } finally {
    await shop.stop();
  }
});
