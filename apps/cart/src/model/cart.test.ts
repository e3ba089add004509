import { describe, expect, it } from 'vitest';
import { couponsOf, deadKeptMs, dotOf, emptyCart, evolve, linesOf, pruneDead, type CartEvent, type CartState, type Dot } from './cart.ts';
import { checkLimits, couponCountMax, deadDotCountMax, foreignDeadDotCountMax, liveDotCountMax } from './limits.ts';
import { cartLineCountMax, isProblem } from '@cloakroom/contracts';

const cartId = 'u_ada';
const dot = (name: string, of = cartId): Dot => dotOf(of, name);
const added = (name: string, quantity = 1, line = 'mug', of = cartId): CartEvent => ({
  cartId: of,
  atMs: 1,
  type: 'ItemAdded',
  dot: dot(name, of),
  line,
  quantity,
});
const set = (name: string, quantity: number, observed: string[], line = 'mug'): CartEvent => ({
  cartId,
  atMs: 2,
  type: 'QuantitySet',
  dot: dot(name),
  line,
  quantity,
  observed: observed.map((each) => dot(each)),
});
const removed = (name: string, observed: string[], line = 'mug'): CartEvent => ({
  cartId,
  atMs: 3,
  type: 'ItemRemoved',
  dot: dot(name),
  line,
  observed: observed.map((each) => dot(each)),
});
const cleared = (name: string, observed: string[]): CartEvent => ({
  cartId,
  atMs: 4,
  type: 'CartCleared',
  dot: dot(name),
  observed: observed.map((each) => dot(each)),
});
const applied = (name: string, code: string): CartEvent => ({ cartId, atMs: 1, type: 'CouponApplied', dot: dot(name), code });
const couponRemoved = (name: string, code: string, observed: string[]): CartEvent => ({
  cartId,
  atMs: 3,
  type: 'CouponRemoved',
  dot: dot(name),
  code,
  observed: observed.map((each) => dot(each)),
});
const ordered = (...names: string[]): CartEvent => ({
  cartId,
  atMs: 5,
  type: 'OrderPlaced',
  orderId: 'o',
  dots: names.map((each) => dot(each)),
});
const codes = (state: CartState) => couponsOf(state).map(({ code }) => code);
const cartOf = (...events: CartEvent[]): CartState => events.reduce(evolve, emptyCart(cartId));
const quantities = (state: CartState) => Object.fromEntries(linesOf(state).map(({ lineId, quantity }) => [lineId, quantity]));

describe('a cart', () => {
  it('adds up the adds of a line', () => {
    expect(quantities(cartOf(added('a', 2), added('b', 3), added('c', 1, 'cup')))).toEqual({ mug: 5, cup: 1 });
  });

  it('counts a repeated command once, and returns the same object when nothing changed', () => {
    const once = cartOf(added('a', 2));
    expect(evolve(once, added('a', 2))).toBe(once);
  });

  it('keeps a removal from becoming an add, whichever of the two with one id comes first', () => {
    expect(quantities(cartOf(added('a', 2), removed('a', ['a'])))).toEqual({});
    expect(quantities(cartOf(removed('a', ['a']), added('a', 2)))).toEqual({});
    expect(quantities(cartOf(added('a', 2), removed('r', []), added('r', 9)))).toEqual({ mug: 2 });
  });

  it('lets a set replace the dots that it saw, and keeps a concurrent add', () => {
    expect(quantities(cartOf(added('a', 2), added('unseen', 3), set('s', 7, ['a'])))).toEqual({ mug: 10 });
  });

  it('takes the larger of two concurrent sets', () => {
    expect(quantities(cartOf(added('a', 2), set('s', 7, ['a']), set('t', 4, ['a'])))).toEqual({ mug: 7 });
  });

  it('removes only what was seen', () => {
    expect(quantities(cartOf(added('a', 2), added('unseen', 3), removed('r', ['a'])))).toEqual({ mug: 3 });
    expect(quantities(cartOf(added('a', 2), added('unseen', 1, 'cup'), cleared('c', ['a'])))).toEqual({ cup: 1 });
  });

  it('lets no removal of one line touch another', () => {
    expect(quantities(cartOf(added('a', 2), added('b', 1, 'cup'), removed('r', ['a', 'b'])))).toEqual({ cup: 1 });
  });

  it('lets no removal of one line touch another line, even when it names a dot that arrives later', () => {
    const early = cartOf(removed('r', ['a', 'b']), added('b', 1, 'cup'), added('a', 2));
    const late = cartOf(added('b', 1, 'cup'), added('a', 2), removed('r', ['a', 'b']));
    expect(quantities(early)).toEqual({ cup: 1 });
    expect(quantities(late)).toEqual({ cup: 1 });
    expect(Object.fromEntries(early.dead)).toEqual(Object.fromEntries(late.dead));
    expect(early.doomed.size).toBe(0);
  });

  it('remembers each line in which an unknown dot was removed, and kills the dot in those alone', () => {
    const removals = [removed('r', ['a'], 'mug'), removed('s', ['a'], 'cup')];
    expect(quantities(cartOf(...removals, added('a', 1, 'cup')))).toEqual({});
    expect(quantities(cartOf(...removals, added('a', 1, 'hat')))).toEqual({ hat: 1 });
    expect(cartOf(...removals, cleared('c', ['a'])).doomed.size).toBe(0);
    expect(quantities(cartOf(...removals, cleared('c', ['a']), added('a', 1, 'hat')))).toEqual({});
  });

  it('returns the same object for a repeated removal of an unknown dot', () => {
    const once = cartOf(removed('r', ['a']));
    expect(evolve(once, removed('r', ['a']))).toBe(once);
  });

  it('never revives a dead dot, whatever arrives later', () => {
    expect(quantities(cartOf(removed('r', ['a']), added('a', 2)))).toEqual({});
  });

  it('keeps a coupon until a removal has seen it', () => {
    const twice = cartOf(applied('a', 'WINTER5'), applied('b', 'WINTER5'), applied('c', 'WELCOME10'));
    expect(codes(twice)).toEqual(['WELCOME10', 'WINTER5']);
    expect(codes(evolve(twice, couponRemoved('r', 'WINTER5', ['a'])))).toEqual(['WELCOME10', 'WINTER5']);
    expect(codes(evolve(twice, couponRemoved('r', 'WINTER5', ['a', 'b', 'c'])))).toEqual(['WELCOME10']);
    expect(codes(evolve(twice, cleared('r', ['a', 'b', 'c'])))).toEqual([]);
  });

  it('keeps removals of coupons away from lines, and removals of lines away from coupons, in any order', () => {
    const made = [added('a', 2), applied('b', 'WINTER5')];
    const removals = [couponRemoved('r', 'WINTER5', ['a']), removed('s', ['b']), set('t', 3, ['b'])];
    for (const state of [cartOf(...made, ...removals), cartOf(...removals, ...made)]) {
      expect(quantities(state)).toEqual({ mug: 5 });
      expect(codes(state)).toEqual(['WINTER5']);
    }
  });

  it('removes exactly what was ordered, even dots that arrive after the order', () => {
    const made = [added('a', 2), added('later', 1), applied('b', 'WINTER5'), applied('c', 'WELCOME10')];
    for (const state of [cartOf(...made, ordered('a', 'b')), cartOf(ordered('a', 'b'), ...made)]) {
      expect(quantities(state)).toEqual({ mug: 1 });
      expect(codes(state)).toEqual(['WELCOME10']);
      expect(evolve(state, ordered('a', 'b'))).toBe(state);
    }
  });

  it('shows no line of quantity 0', () => {
    expect(linesOf(cartOf(added('a', 2), set('s', 0, ['a'])))).toEqual([]);
  });

  it('forgets a death after 45 days and not before', () => {
    const state = cartOf(added('a'), removed('r', ['a']));
    expect(pruneDead(state, 3 + deadKeptMs - 1).dead.size).toBe(2);
    expect(pruneDead(state, 3 + deadKeptMs).dead.size).toBe(0);
  });
});

describe('a claim and a join', () => {
  const guestCartId = 'g_1';
  const claim = (userCartId: string, of = guestCartId): CartEvent => ({
    cartId: of,
    atMs: 5,
    type: 'GuestCartClaimed',
    userCartId,
    claimEventId: 'e',
  });
  const guest = [added('g', 2, 'mug', guestCartId)].reduce(evolve, emptyCart(guestCartId));
  const join = (guestOffset: bigint, from = guest, to = cartId, id = guestCartId): CartEvent => ({
    cartId: to,
    atMs: 6,
    type: 'GuestJoined',
    guestCartId: id,
    guestOffset,
    dots: from.dots,
    coupons: from.coupons,
    dead: from.dead,
    origins: from.origins,
  });

  it('gives a guest cart to its first user for ever', () => {
    const sealed = [claim('u_ada'), claim('u_eve')].reduce(evolve, guest);
    expect(sealed.claimedBy).toBe('u_ada');
  });

  it('never takes a user cart, and never gives a cart to a guest', () => {
    expect(evolve(emptyCart('u_ada'), claim('u_eve', 'u_ada')).claimedBy).toBeUndefined();
    expect(evolve(guest, claim('g_2')).claimedBy).toBeUndefined();
  });

  it('joins only guest carts, and only into a user cart', () => {
    const user = emptyCart(cartId);
    expect(evolve(user, join(1n, guest, cartId, 'u_eve'))).toBe(user);
    const other = emptyCart('g_2');
    expect(evolve(other, join(1n, guest, 'g_2'))).toBe(other);
  });

  it('adds the guest under the same dots, so a second join of the same offset changes nothing', () => {
    const once = cartOf(added('a', 1), join(7n));
    expect(quantities(once)).toEqual({ mug: 3 });
    expect(once.joined.get(guestCartId)).toEqual({ guestOffset: 7n, atMs: 6 });
    expect(evolve(once, join(7n))).toBe(once);
  });

  it("carries the guest's removals", () => {
    const emptied = evolve(guest, {
      cartId: guestCartId,
      atMs: 3,
      type: 'CartCleared',
      dot: dot('c', guestCartId),
      observed: [dot('g', guestCartId)],
    });
    expect(quantities(cartOf(join(7n), join(8n, emptied)))).toEqual({});
    expect(quantities(cartOf(join(8n, emptied), join(7n)))).toEqual({});
  });

  it('does not revive a forgotten death when a join is replayed', () => {
    const user = [join(7n), removedOfGuest()].reduce(evolve, emptyCart(cartId));
    const forgotten = pruneDead(user, 10 * deadKeptMs);
    expect(forgotten.dead.size).toBe(1);
    expect(quantities(evolve(forgotten, join(7n)))).toEqual({});
  });

  it('does not revive an old removal when a redriven record makes the guest send its whole state again', () => {
    const user = [join(7n), removedOfGuest()].reduce(evolve, emptyCart(cartId));
    const more = evolve(guest, added('late', 1, 'cup', guestCartId));
    expect(quantities(evolve(pruneDead(user, 100 * deadKeptMs), join(8n, more)))).toEqual({ cup: 1 });
    // The same holds when the removal came before the claim.
    const early = [removedOfGuest()].reduce(evolve, emptyCart(cartId));
    expect(quantities(evolve(pruneDead(early, 100 * deadKeptMs), join(8n, more)))).toEqual({ cup: 1 });
  });

  it("adds the guest's coupons under the same dots", () => {
    const withCoupon = evolve(guest, { cartId: guestCartId, atMs: 2, type: 'CouponApplied', dot: dot('k', guestCartId), code: 'WINTER5' });
    const user = cartOf(join(7n, withCoupon));
    expect(codes(user)).toEqual(['WINTER5']);
    expect(evolve(user, join(7n, withCoupon))).toBe(user);
  });

  const removedOfGuest = (): CartEvent => ({
    cartId,
    atMs: 9,
    type: 'ItemRemoved',
    dot: dot('r'),
    line: 'mug',
    observed: [dot('g', guestCartId)],
  });
});

describe('the limits', () => {
  const many = (count: number, line: (i: number) => string): CartState =>
    cartOf(...Array.from({ length: count }, (_, i) => added(`d${i}`, 1, line(i))));

  it('let a cart have 100 lines and not 101', () => {
    const full = many(cartLineCountMax, (i) => `line-${i}`);
    expect(checkLimits(full, added('x', 1, 'line-5'))).toBeUndefined();
    expect(isProblem(checkLimits(full, added('x', 1, 'one-more')))).toBe(true);
  });

  it('let a cart have 500 live dots, and count a set in place of those that it saw', () => {
    const full = many(liveDotCountMax, () => 'mug');
    expect(checkLimits(full, added('x'))).toMatchObject({ problem: 'limit_exceeded' });
    expect(checkLimits(full, set('x', 3, ['d0']))).toBeUndefined();
  });

  it('bound how many deaths unsigned removals can make a cart remember', () => {
    const dead = new Map(Array.from({ length: deadDotCountMax }, (_, i) => [`x${i}`, 1]));
    const state = { ...cartOf(added('a')), dead };
    expect(checkLimits(state, removed('r', ['made-up']))).toMatchObject({ problem: 'limit_exceeded' });
    expect(checkLimits(state, removed('r', ['a']))).toBeUndefined();
  });

  it('allow a removal of a live dot, however many deaths of other carts were made up', () => {
    const foreign = Array.from({ length: foreignDeadDotCountMax }, (_, i) => dot(`x${i}`, 'g_1'));
    const state = cartOf(added('a'), { cartId, atMs: 1, type: 'CartCleared', dot: dot('c0'), observed: foreign });
    const madeUp: CartEvent = { cartId, atMs: 1, type: 'CartCleared', dot: dot('c'), observed: [dot('y', 'g_1')] };
    expect(checkLimits(state, madeUp)).toMatchObject({ problem: 'limit_exceeded' });
    expect(checkLimits(state, removed('r', ['a']))).toBeUndefined();
  });

  it('let a cart have 10 coupons and not 11', () => {
    const full = cartOf(...Array.from({ length: couponCountMax }, (_, i) => applied(`k${i}`, `CODE-${i}`)));
    expect(checkLimits(full, applied('x', 'CODE-3'))).toBeUndefined();
    expect(checkLimits(full, applied('x', 'ONE-MORE'))).toMatchObject({ problem: 'limit_exceeded' });
    expect(checkLimits(full, applied('k3', 'OTHER'))).toMatchObject({ problem: 'command_conflict' });
  });

  it('refuse a known command id with another payload, and allow a repeat', () => {
    const state = cartOf(added('a', 2));
    expect(checkLimits(state, added('a', 2))).toBeUndefined();
    expect(checkLimits(state, added('a', 3))).toMatchObject({ problem: 'command_conflict' });
    expect(checkLimits(state, removed('a', []))).toMatchObject({ problem: 'command_conflict' });
  });
});
