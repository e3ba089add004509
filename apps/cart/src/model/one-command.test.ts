/** One command id counts once within a person's cart, under all its names and in every order of arrival. */
import { describe, expect, it } from 'vitest';
import {
  couponsOf,
  deadKeptMs,
  dotIn,
  dotOf,
  emptyCart,
  evolve,
  linesOf,
  pruneDead,
  type CartEvent,
  type CartState,
  type Dot,
} from './cart.ts';
import { checkLimits, foreignDeadDotCountMax } from './limits.ts';
import { spell } from './spell-cart.harness.ts';

const [user, guest] = ['u_ada', 'g_1'];
type Add = Extract<CartEvent, { type: 'ItemAdded' }>;
const added = (cartId: string, id: string, quantity = 1, line = 'mug'): Add => ({
  type: 'ItemAdded',
  cartId,
  atMs: 1,
  dot: dotOf(cartId, id),
  line,
  quantity,
});
const set = (cartId: string, id: string, quantity: number, observed: Dot[] = []): CartEvent => ({
  ...added(cartId, id, quantity),
  type: 'QuantitySet',
  observed,
});
const coupon = (cartId: string, id: string): CartEvent => ({
  type: 'CouponApplied',
  cartId,
  atMs: 1,
  dot: dotOf(cartId, id),
  code: 'WINTER5',
});
const removed = (cartId: string, id: string, observed: Dot[], line = 'mug'): CartEvent => ({
  type: 'ItemRemoved',
  cartId,
  atMs: 3,
  dot: dotOf(cartId, id),
  line,
  observed,
});
const ordered = (...dots: Dot[]): CartEvent => ({ type: 'OrderPlaced', cartId: user, atMs: 5, orderId: 'o', dots });
/** The guest's state at that offset, as it arrives in the user's log. */
const joined = (guestOffset: bigint, ...events: CartEvent[]): CartEvent => {
  const { dots, coupons, dead, origins } = events.reduce(evolve, emptyCart(guest));
  return { type: 'GuestJoined', cartId: user, atMs: 6, guestCartId: guest, guestOffset, dots, coupons, dead, origins };
};
const cartOf = (events: readonly CartEvent[]): CartState => events.reduce(evolve, emptyCart(user));
const quantities = (state: CartState) => Object.fromEntries(linesOf(state).map(({ lineId, quantity }) => [lineId, quantity]));

function* everyOrder<T>(of: readonly T[]): Generator<T[]> {
  if (of.length === 0) yield [];
  for (const [at, first] of of.entries()) for (const rest of everyOrder(of.toSpliced(at, 1))) yield [first, ...rest];
}

/** Applies the events in every order, and then all of them again. The cart must always be the same. */
function inEveryOrder(...events: CartEvent[]): CartState {
  const due = cartOf(events);
  for (const order of everyOrder(events)) {
    const cart = cartOf(order);
    expect(spell(cart)).toBe(spell(due));
    for (const event of order) expect(evolve(cart, event)).toBe(cart);
  }
  return due;
}

const made = {
  add: (cartId: string) => added(cartId, 'c', 2),
  set: (cartId: string) => set(cartId, 'c', 2),
} as const;

describe.each(Object.entries(made))('a guest’s %s that is repeated as the user', (_kind, command) => {
  it('counts once, before, during and after the join', () => {
    const late = joined(2n, command(guest), added(guest, 'd', 3));
    expect(quantities(inEveryOrder(command(user), joined(1n, command(guest)), late))).toEqual({ mug: 5 });
  });

  it('stays dead when the guest removed it', () => {
    const gone = [command(guest), removed(guest, 'r', [dotOf(guest, 'c')])];
    expect(quantities(inEveryOrder(command(user), joined(1n, command(guest)), joined(2n, ...gone)))).toEqual({});
    expect(quantities(inEveryOrder(command(user), joined(2n, ...gone)))).toEqual({});
  });

  it.each([user, guest])('is removed under the name that %s gave it, even before that name or the other has arrived', (name) => {
    const removal = removed(user, 'r', [dotOf(name, 'c')]);
    expect(quantities(inEveryOrder(command(user), joined(1n, command(guest)), removal))).toEqual({});
    expect(quantities(inEveryOrder(command(user), removal))).toEqual({});
    expect(quantities(inEveryOrder(joined(1n, command(guest)), removal))).toEqual({});
  });

  it.each([user, guest])('is ordered under the name that %s gave it', (name) => {
    expect(quantities(inEveryOrder(command(user), joined(1n, command(guest)), ordered(dotOf(name, 'c'))))).toEqual({});
  });

  it('is not killed by a repeat of itself that saw it under its other name', () => {
    const again = set(user, 'c', 2, [dotOf(guest, 'c')]);
    expect(quantities(cartOf([joined(1n, set(guest, 'c', 2)), again]))).toEqual({ mug: 2 });
  });
});

describe('a guest’s command that is repeated as the user', () => {
  it('is one coupon, which one removal takes', () => {
    const cart = inEveryOrder(coupon(user, 'c'), joined(1n, coupon(guest, 'c')));
    expect(couponsOf(cart)).toEqual([{ code: 'WINTER5', dots: [dotOf(user, 'c')] }]);
    const removal: CartEvent = {
      type: 'CouponRemoved',
      cartId: user,
      atMs: 3,
      dot: dotOf(user, 'r'),
      code: 'WINTER5',
      observed: [dotOf(guest, 'c')],
    };
    expect(couponsOf(inEveryOrder(coupon(user, 'c'), joined(1n, coupon(guest, 'c')), removal))).toEqual([]);
  });

  it('is, when it is a removal, a kill for ever', () => {
    const guests = [added(guest, 'c'), removed(guest, 'r', [dotOf(guest, 'c')])];
    const repeated = removed(user, 'r', [dotOf(guest, 'c')]);
    expect(quantities(inEveryOrder(joined(1n, added(guest, 'c')), joined(2n, ...guests), repeated))).toEqual({});
  });

  it('stays alive under both names when a removal of another line named it', () => {
    const elsewhere = removed(user, 'r', [dotOf(guest, 'c')], 'cup');
    expect(quantities(inEveryOrder(added(user, 'c'), elsewhere, joined(1n, added(guest, 'c'))))).toEqual({ mug: 1 });
  });

  it('keeps every origin, and gets its name from the set of origins and not from their order', () => {
    const cart = inEveryOrder(added(user, 'c'), joined(1n, added(guest, 'c')));
    expect(cart.origins.get('c')).toEqual([guest, user]);
    expect(linesOf(cart)[0]?.dots).toEqual([dotOf(user, 'c')]);
    expect(dotIn(cartOf([joined(1n, added(guest, 'c'))]), 'c')).toBe(dotOf(guest, 'c'));
  });

  it('with another payload of the same line: the larger stands in every order', () => {
    expect(quantities(inEveryOrder(added(user, 'c', 2), joined(1n, added(guest, 'c', 5))))).toEqual({ mug: 5 });
    expect(linesOf(inEveryOrder(set(user, 'c', 2), joined(1n, added(guest, 'c', 2)), added(user, 'd', 1)))[0]?.quantity).toBe(3);
  });

  it('of another line: neither stands, in every order, whatever a removal names', () => {
    const [mine, theirs, coupons] = [added(user, 'c', 2), joined(1n, added(guest, 'c', 5, 'cup')), coupon(user, 'c')];
    expect(quantities(inEveryOrder(mine, theirs))).toEqual({});
    expect(couponsOf(inEveryOrder(mine, coupons))).toEqual([]);
    for (const order of everyOrder([mine, theirs, removed(user, 'r', [dotOf(user, 'c')], 'cup')]))
      expect(quantities(cartOf(order))).toEqual({});
  });

  it('is killed by a set of the same id with another payload as by any set', () => {
    const again = set(user, 'c', 3, [dotOf(user, 'd')]);
    expect(quantities(inEveryOrder(added(user, 'c', 2), added(user, 'd', 4), again))).toEqual({ mug: 3 });
  });

  it('stays dead for ever, even when the guest sends its whole state again after any time', () => {
    const join = (offset: bigint) => joined(offset, added(guest, 'c'));
    const cart = cartOf([added(user, 'c'), join(1n), removed(user, 'r', [dotOf(user, 'c')])]);
    const forgotten = pruneDead(cart, 100 * deadKeptMs);
    expect([...forgotten.dead.keys()]).toEqual(['c']);
    expect(quantities(evolve(forgotten, join(2n)))).toEqual({});
    // The same holds when the other name arrives after the death.
    const late = cartOf([added(user, 'c'), removed(user, 'r', [dotOf(user, 'c')]), join(1n)]);
    expect(quantities(evolve(pruneDead(late, 100 * deadKeptMs), join(2n)))).toEqual({});
  });
});

describe('the limits', () => {
  it('refuse the same id with another payload, whichever cart it was made in', () => {
    const cart = cartOf([joined(1n, added(guest, 'c', 2))]);
    expect(checkLimits(cart, added(user, 'c', 2))).toBeUndefined();
    expect(checkLimits(cart, added(user, 'c', 3))).toMatchObject({ problem: 'command_conflict' });
    expect(checkLimits(cart, removed(user, 'c', []))).toMatchObject({ problem: 'command_conflict' });
  });

  it('bound the names that a made-up `seen` can give to one command', () => {
    const names = Array.from({ length: foreignDeadDotCountMax + 1 }, (_, n) => dotOf(`g_${n}`, 'x'));
    const clear = (id: string, observed: Dot[]): CartEvent => ({
      type: 'CartCleared',
      cartId: user,
      atMs: 1,
      dot: dotOf(user, id),
      observed,
    });
    expect(checkLimits(cartOf([]), clear('a', names))).toMatchObject({ problem: 'limit_exceeded' });
    const full = cartOf([clear('a', names.slice(1))]);
    expect(checkLimits(full, clear('b', names.slice(1)))).toBeUndefined();
    expect(checkLimits(full, clear('b', names.slice(0, 1)))).toMatchObject({ problem: 'limit_exceeded' });
  });
});
