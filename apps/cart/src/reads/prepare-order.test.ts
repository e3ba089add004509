import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Dot, dotOf } from '../model/cart.ts';
import { accepted, newCommandId, newGuest, newUser, openHarness, quantitiesOf, type Harness } from '../cart.harness.ts';
import { ViewUnavailable } from '../projection/cart.view.ts';
import { decodeSeen, encodeSeen } from '../model/seen.ts';

let cart: Harness;
let ada: string;
beforeEach(async () => {
  cart = await openHarness();
  ada = newUser();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await cart.stop();
});

const add = async (productId: string, quantity: number) => accepted(await cart.add(ada, productId, quantity));
/** The cart that a page shows right after a read. */
const page = async (token: string | undefined) => cart.get(ada, token);
const prepared = async (seen: string, token?: string) => accepted(await cart.prepare(ada, seen, token));

describe('coupons', () => {
  it('are noted beside the lines, and are removed as far as they were seen', async () => {
    await add('mug', 2);
    const noted = accepted(await cart.applyCoupon(ada, 'WINTER5'));
    const read = await page(noted.consistencyToken);
    expect(read.coupons).toMatchObject([{ code: 'WINTER5' }]);
    expect(quantitiesOf(read)).toEqual({ mug: 2 });
    const off = accepted(await cart.removeCoupon(ada, 'WINTER5', read.coupons![0]!.seen!));
    const after = await page(off.consistencyToken);
    expect(after.coupons).toEqual([]);
    expect(quantitiesOf(after)).toEqual({ mug: 2 });
  });

  it('are removed by the seen of their own 202, and by the seen of the whole cart without touching a line', async () => {
    await add('mug', 2);
    const noted = accepted(await cart.applyCoupon(ada, 'WINTER5'));
    accepted(await cart.removeCoupon(ada, 'WINTER5', noted.seen!));
    const again = accepted(await cart.applyCoupon(ada, 'WINTER5'));
    const { seen } = await page(again.consistencyToken);
    const off = accepted(await cart.removeCoupon(ada, 'WINTER5', seen!));
    const after = await page(off.consistencyToken);
    expect(after.coupons).toEqual([]);
    expect(quantitiesOf(after)).toEqual({ mug: 2 });
  });

  it('are refused when they are malformed, and beyond ten', async () => {
    expect(await cart.applyCoupon(ada, 'winter5')).toMatchObject({ problem: 'invalid_request' });
    expect(await cart.removeCoupon(ada, '', '')).toMatchObject({ problem: 'invalid_request' });
    let token: string | undefined;
    for (let n = 0; n < 10; n++) ({ consistencyToken: token } = accepted(await cart.applyCoupon(ada, `CODE-${n}`)));
    await page(token);
    expect(await cart.applyCoupon(ada, 'ELEVENTH')).toMatchObject({ problem: 'limit_exceeded' });
  });

  it('are carried from a guest cart', async () => {
    const guest = newGuest();
    accepted(await cart.applyCoupon(guest, 'WINTER5'));
    await cart.claim(guest, ada);
    await vi.waitFor(async () => expect((await page(undefined)).coupons).toMatchObject([{ code: 'WINTER5' }]));
  });
});

describe('preparing an order', () => {
  it('answers with the lines, quantities and coupons that were seen, and with their dots', async () => {
    await add('mug', 2);
    await add('mug', 1);
    await add('cup', 1);
    const noted = accepted(await cart.applyCoupon(ada, 'WINTER5'));
    const { seen } = await page(noted.consistencyToken);
    const order = await prepared(seen!);
    expect(order).toMatchObject({ cartId: ada, changed: false, stale: false, coupons: [{ code: 'WINTER5' }] });
    expect(quantitiesOf(order)).toEqual({ mug: 3, cup: 1 });
    const dots = [...order.lines!, ...order.coupons!].flatMap((one) => one.dots!);
    expect(dots).toHaveLength((decodeSeen(seen!) as string[]).length);
  });

  it('counts only the seen part of a set and of later adds', async () => {
    const first = await add('mug', 2);
    const replaced = accepted(await cart.set(ada, 'mug', 5, first.seen!));
    const { seen } = await page(replaced.consistencyToken);
    const unseen = await add('mug', 3);
    expect(quantitiesOf(await page(unseen.consistencyToken))).toEqual({ mug: 8 });
    const order = await prepared(seen!);
    expect(quantitiesOf(order)).toEqual({ mug: 5 });
    expect(order).toMatchObject({ changed: false, stale: false });
  });

  it('says changed when a seen line is gone, and leaves it out', async () => {
    const mug = await add('mug', 2);
    const cup = await add('cup', 1);
    const { seen } = await page(cup.consistencyToken);
    const removed = accepted(await cart.remove(ada, 'mug', mug.seen!));
    const order = await prepared(seen!, removed.consistencyToken);
    expect(order).toMatchObject({ changed: true, stale: false });
    expect(quantitiesOf(order)).toEqual({ cup: 1 });
  });

  it('is empty for an empty seen', async () => {
    await page((await add('mug', 2)).consistencyToken);
    expect(await prepared('')).toMatchObject({ lines: [], coupons: [], changed: false, stale: false });
  });

  it('says stale for an unknown dot, and changed once the dot is so old that its death may be forgotten', async () => {
    await page((await add('mug', 2)).consistencyToken);
    const fortnightMs = 14 * 24 * 60 * 60 * 1000;
    const seenOf = (madeAtMs: number) => encodeSeen([dotOf(ada, newCommandId(madeAtMs))]);
    expect(await prepared(seenOf(Date.now()))).toMatchObject({ stale: true, changed: false });
    expect(await prepared(seenOf(Date.now() - fortnightMs - 60_000))).toMatchObject({ stale: false, changed: true });
    // The guest's claim may still be under way, at any age.
    const ofGuest = encodeSeen([dotOf(newGuest(), newCommandId(Date.now() - 10 * fortnightMs))]);
    expect(await prepared(ofGuest)).toMatchObject({ stale: true, changed: false });
  });

  it("says changed for another person's dots, and leaves those alone", async () => {
    const { seen } = await page((await add('mug', 2)).consistencyToken);
    const strange = dotOf(newUser(), newCommandId());
    const order = await prepared(encodeSeen([...(decodeSeen(seen!) as Dot[]), strange]));
    expect(order).toMatchObject({ changed: true, stale: false });
    expect(quantitiesOf(order)).toEqual({ mug: 2 });
  });

  it('says stale while a record of the cart is missing', async () => {
    const { seen, consistencyToken } = await add('mug', 2);
    await page(consistencyToken);
    await cart.eventLog.publish(cart.topics.events, [{ key: ada, value: Buffer.from('x'), headers: {} }]);
    await vi.waitFor(async () => expect(await prepared(seen!)).toMatchObject({ stale: true }));
  });

  it('says stale when the log has been silent, and unavailable while the view is down', async () => {
    const { seen, consistencyToken } = await add('mug', 2);
    await page(consistencyToken);
    vi.spyOn(cart.projector(), 'heardAgoMs').mockReturnValue(5_000);
    expect(await prepared(seen!)).toMatchObject({ stale: true });
    vi.spyOn(cart.view, 'load').mockRejectedValue(new ViewUnavailable('away'));
    expect(await cart.prepare(ada, seen!)).toMatchObject({ problem: 'unavailable', retryAfterS: 1 });
  });

  it('says stale while the view lacks records that the log held at the request, and when the log does not tell its end', async () => {
    const { seen, consistencyToken } = await add('mug', 2);
    const { lines } = await page(consistencyToken);
    // The partition's owner hangs in a call to the view. This replica still hears the log.
    vi.spyOn(cart.projector(), 'heardAgoMs').mockReturnValue(0);
    const apply = vi.spyOn(cart.view, 'apply').mockReturnValue(new Promise(() => undefined));
    accepted(await cart.remove(ada, lines![0]!.lineId!, seen!));
    expect(await prepared(seen!)).toMatchObject({ stale: true });
    // A device without a token is told stale once a healthy owner would have caught up.
    await vi.waitFor(async () => expect(await cart.get(ada)).toMatchObject({ stale: true }), { timeout: 4_000 });
    apply.mockRestore();
    vi.spyOn(cart.eventLog, 'bounds').mockRejectedValue(new Error('away'));
    expect(await prepared(seen!)).toMatchObject({ stale: true });
  });

  it('refuses a seen that this API did not give out', async () => {
    expect(await cart.prepare(ada, '!')).toMatchObject({ problem: 'invalid_request' });
  });
});
