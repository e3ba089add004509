import type { Cart, Session } from '@cloakroom/contracts/http';
import { MutationObserver, QueryClient } from '@tanstack/react-query';
import { expect, it } from 'vitest';
import { adoptSession } from '../session/adopt-session.ts';
import { addLine, applyTaken, cartQuery, lineRemoval, quantitySetting } from './cart.ts';
import { Outbox, type CartOwner } from '../api/outbox.ts';
import { hasOwnWrites, type ShownCart } from './own-writes.ts';
import { createPendingStore, type PendingCommand } from '../api/pending-store.ts';
import { keys } from '../api/shop.tsx';

function cartWith(quantity: number, seen: string, stale = false): Cart {
  const line = {
    lineId: 'l',
    productId: 'cap',
    options: {},
    name: 'Cap',
    image: '/cap.svg',
    quantity,
    unitPrice: 100,
    currency: 'EUR',
    available: true,
    seen,
  };
  return {
    cartId: 'g_1',
    lines: quantity === 0 ? [] : [line],
    coupons: [],
    seen,
    subtotal: quantity * 100,
    currency: 'EUR',
    stale,
    behind: stale ? 1 : 0,
    incomplete: false,
    merge: { state: 'none' },
  };
}

const times = { madeAtMs: 0, askedSinceMs: 0, isOpen: true, stopped: false };
const open = { ...times, commandId: 'c', cartId: 'g_1', method: 'POST', path: '/api/cart/lines', body: {}, about: 'it' } as const;
const openAdd = (body: PendingCommand['body']): PendingCommand => ({ ...open, body: { productId: 'cap', ...body }, productId: 'cap' });

/** A cart that has been read once, with five of one thing. */
async function shopOf(first = cartWith(5, 'a')) {
  const queryClient = new QueryClient();
  const sent: string[] = [];
  let answer: () => Promise<Cart> = () => Promise.resolve(first);
  let commands = 0;
  const pending = createPendingStore(
    () => {
      throw new Error('forbidden');
    },
    () => 0,
  );
  let owner: CartOwner = { cartId: 'g_1' };
  const outbox = new Outbox({
    fetch: () => Promise.reject(new Error('not sent from here')),
    store: pending,
    owner: () => owner,
    nowMs: () => 0,
    onProblem: () => {},
    random: () => 0,
    randomBytes: (count) => new Uint8Array(count),
    sleep: () => Promise.resolve(),
  });
  const accept = (text: string) => {
    sent.push(text);
    return Promise.resolve({ commandId: `c${++commands}`, lineId: 'l', seen: `${text} seen` });
  };
  const api = {
    cart: () => answer(),
    pending,
    outbox,
    addLine: (line: { quantity: number; seen?: string }) => accept(`add ${line.quantity} having ${line.seen ?? 'nothing'}`),
    setQuantity: (_lineId: string, quantity: number, seen: string) => accept(`set ${quantity} having ${seen}`),
    removeLine: (_lineId: string, seen: string) => accept(`remove having ${seen}`),
    clearCart: (seen: string) => accept(`clear having ${seen}`),
  };
  const parts = { api, queryClient };
  const read = () => queryClient.fetchQuery({ ...cartQuery(api), staleTime: 0 });
  await read();
  return {
    parts,
    sent,
    read,
    come: (next: CartOwner) => void (owner = next),
    answerWith: (next: () => Promise<Cart>) => void (answer = next),
    set: (quantity: number) => new MutationObserver(queryClient, quantitySetting(parts, 'l')).mutate(quantity),
    remove: (onRemoved = () => {}) => new MutationObserver(queryClient, lineRemoval(parts, 'l', onRemoved)).mutate(),
    shown: () => queryClient.getQueryData<ShownCart>(keys.cart)!,
  };
}

it('sends a second change with what the first one made, also after a stale answer', async () => {
  const shop = await shopOf();
  await shop.set(4);
  shop.answerWith(() => Promise.resolve(cartWith(5, 'a', true)));
  await shop.read();
  expect(shop.shown()).toMatchObject({ stale: true, subtotal: 400, lines: [{ quantity: 4 }] });
  await shop.set(3);
  expect(shop.sent).toEqual(['set 4 having a', 'set 3 having set 4 having a seen']);
});

it('keeps a change that was accepted while an older answer was on its way', async () => {
  const shop = await shopOf();
  const late = Promise.withResolvers<Cart>();
  shop.answerWith(() => late.promise);
  const reading = shop.read();
  await addLine(shop.parts, { productId: 'cap', options: {}, quantity: 2 }, 'Cap');
  late.resolve(cartWith(5, 'a'));
  await reading;
  expect(shop.sent).toEqual(['add 2 having a']);
  expect(shop.shown()).toMatchObject({ lines: [{ quantity: 7, seen: 'add 2 having a seen' }] });
});

it('believes a fresh answer, which holds what was written before it was asked for', async () => {
  const shop = await shopOf();
  await shop.set(4);
  shop.answerWith(() => Promise.resolve(cartWith(6, 'b')));
  await shop.read();
  expect(shop.shown().lines).toMatchObject([{ quantity: 6, seen: 'b' }]);
  expect(hasOwnWrites(shop.shown())).toBe(false);
});

it('believes an answer that waits for another region alone: the page writes to the log of this one', async () => {
  const shop = await shopOf();
  await shop.set(4);
  shop.answerWith(() => Promise.resolve({ ...cartWith(6, 'b', true), behind: 0, behindRegions: [{ region: 'eu', records: 3 }] }));
  await shop.read();
  expect(shop.shown().lines).toMatchObject([{ quantity: 6, seen: 'b' }]);
  expect(hasOwnWrites(shop.shown())).toBe(false);
});

it('does not show a removed line again while the answer is stale, unless it was added again', async () => {
  const shop = await shopOf();
  let told = 0;
  shop.answerWith(() => Promise.resolve(cartWith(5, 'a', true)));
  await shop.remove(() => (told = shop.shown().lines.length));
  expect(told, 'told while the line is there').toBe(1);
  await shop.read();
  expect(shop.shown()).toMatchObject({ lines: [], subtotal: 0 });
  await addLine(shop.parts, { productId: 'cap', options: {}, quantity: 5 }, 'Cap');
  await shop.read();
  expect(shop.shown().lines).toHaveLength(1);
});

it('sends no change of a line of which an earlier change may or may not have been taken', async () => {
  const shop = await shopOf();
  shop.parts.api.pending.write({ ...open, method: 'PUT', path: '/api/cart/lines/l', lineId: 'l' });
  await expect(shop.set(4)).rejects.toMatchObject({ code: 'still_asking' });
  await expect(shop.remove()).rejects.toMatchObject({ code: 'still_asking' });
  expect(shop.sent).toEqual([]);
  shop.parts.api.pending.remove('c');
  await shop.set(4);
  expect(shop.sent).toEqual(['set 4 having a']);
});

it('sends no change of a line while an addition of its product may or may not have been taken', async () => {
  const shop = await shopOf();
  shop.parts.api.pending.write(openAdd({ quantity: 1, seen: 'a' }));
  await expect(shop.set(4)).rejects.toMatchObject({ code: 'still_asking' });
  await expect(shop.remove()).rejects.toMatchObject({ code: 'still_asking' });
  expect(shop.sent).toEqual([]);
});

it('is not held up by what another person of this tab has open', async () => {
  const shop = await shopOf();
  shop.parts.api.pending.write({ ...openAdd({ quantity: 1 }), cartId: 'u_ada' });
  shop.come({ cartId: 'u_eve' });
  await shop.set(4);
  shop.come({ cartId: 'u_ada' });
  await expect(shop.set(3)).rejects.toMatchObject({ code: 'still_asking' });
  expect(shop.sent).toEqual(['set 4 having a']);
});

it('changes a line with what an addition made that was found to be taken, also in a stale cart', async () => {
  const shop = await shopOf(cartWith(1, 'a', true));
  applyTaken(shop.parts.queryClient, openAdd({ quantity: 1, seen: 'a' }), { commandId: 'c', lineId: 'l', seen: 'a and c' });
  await shop.read();
  expect(shop.shown().lines).toMatchObject([{ quantity: 2 }]);
  await shop.set(2);
  expect(shop.sent).toEqual(['set 2 having a and c']);
});

it('counts no addition twice that a reading of the cart holds already', async () => {
  const shop = await shopOf(cartWith(2, 'a and c', true));
  applyTaken(shop.parts.queryClient, openAdd({ quantity: 1, seen: 'a' }), { commandId: 'c', lineId: 'l', seen: 'a and c' });
  expect(shop.shown().lines).toMatchObject([{ quantity: 2 }]);
});

it('shows a removed line again once its undo is found to be taken', async () => {
  const shop = await shopOf();
  shop.answerWith(() => Promise.resolve(cartWith(5, 'b', true)));
  await shop.remove();
  await shop.read();
  expect(shop.shown().lines).toEqual([]);
  applyTaken(shop.parts.queryClient, openAdd({ quantity: 5 }), { commandId: 'c', lineId: 'l', seen: 'b' });
  await shop.read();
  expect(shop.shown().lines).toMatchObject([{ quantity: 5 }]);
});

it('adopts the answer of a sign-in over a question that was asked before it', async () => {
  const queryClient = new QueryClient();
  const late = Promise.withResolvers<Session>();
  const asking = queryClient.fetchQuery({ queryKey: keys.session, queryFn: () => late.promise }).catch(() => undefined);
  await adoptSession(queryClient, { state: 'guest' });
  late.resolve({ state: 'none' });
  await asking;
  expect(queryClient.getQueryData(keys.session)).toEqual({ state: 'guest' });
});
