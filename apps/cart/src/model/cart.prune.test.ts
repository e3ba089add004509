/**
 * A cart that forgets old deaths shows at every moment what a cart that forgets nothing shows. Histories run over months. Clients repeat
 * commands as late as these are accepted, old pages remove what they saw, and guests send their state again at any time.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
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

const seed = Date.now() % 2 ** 31;
console.info(`cart.prune.test.ts: seed ${seed}`);
const dayMs = 24 * 60 * 60 * 1000;
/** command.ts refuses older ids. */
const repeatMaxMs = 7 * dayMs;

type Step = { readonly days: number; readonly prune: boolean } & (
  | { readonly do: 'add' | 'set' | 'remove' | 'coupon'; readonly line: number }
  | { readonly do: 'clear' | 'order' | 'join' }
  | { readonly do: 'old-remove' | 'repeat'; readonly which: number }
  | { readonly do: 'guest-add' | 'guest-remove'; readonly line: number }
);
/** So few that a command can be repeated, or so many that deaths are forgotten. */
const days = fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 0, max: 9 }) }, { weight: 1, arbitrary: fc.integer({ min: 20, max: 60 }) });
const base = { days, prune: fc.boolean() };
const line = fc.nat({ max: 1 });
const which = fc.nat({ max: 30 });
const history = fc.array(
  fc.oneof(
    fc.record({ ...base, do: fc.constantFrom('add' as const, 'set' as const, 'remove' as const, 'coupon' as const), line }),
    fc.record({ ...base, do: fc.constantFrom('clear' as const, 'order' as const, 'join' as const) }),
    fc.record({ ...base, do: fc.constantFrom('old-remove' as const, 'repeat' as const), which }),
    fc.record({ ...base, do: fc.constantFrom('guest-add' as const, 'guest-remove' as const), line }),
  ),
  { maxLength: 30 },
);

const user = 'u_1';
const guest = 'g_1';

/** Two carts with the same history: one forgets old deaths, the other does not. */
class Lives {
  readonly user = { all: emptyCart(user), pruned: emptyCart(user) };
  readonly guest = { all: emptyCart(guest), pruned: emptyCart(guest) };
  readonly #made: CartEvent[] = [];
  readonly #pages: Dot[][] = [];
  #claimed = false;
  #nowMs = 0;
  #count = 0;

  take(step: Step): void {
    this.#nowMs += step.days * dayMs + 1;
    this.#pages.push([...everythingIn(this.user.all), ...everythingIn(this.guest.all)]);
    const event = this.#eventOf(step);
    if (event !== undefined) this.#apply(event);
    // After the claim, the projector forwards a guest's change in its own batch, before the guest's cart forgets anything
    // (project-batch.ts).
    this.#claimed ||= step.do === 'join';
    if (step.do === 'join' || (this.#claimed && event?.cartId === guest)) this.#join();
    if (!step.prune) return;
    this.user.pruned = pruneDead(this.user.pruned, this.#nowMs);
    this.guest.pruned = pruneDead(this.guest.pruned, this.#nowMs);
  }

  #apply(event: CartEvent): void {
    this.#made.push(event);
    const of = event.cartId === user ? this.user : this.guest;
    of.all = evolve(of.all, event);
    of.pruned = evolve(of.pruned, event);
  }

  #join(): void {
    this.#count += 1;
    const joinOf = ({ dots, coupons, dead, origins }: CartState): CartEvent => ({
      type: 'GuestJoined',
      cartId: user,
      atMs: this.#nowMs,
      guestCartId: guest,
      guestOffset: BigInt(this.#count),
      dots,
      coupons,
      dead,
      origins,
    });
    this.user.all = evolve(this.user.all, joinOf(this.guest.all));
    this.user.pruned = evolve(this.user.pruned, joinOf(this.guest.pruned));
  }

  #eventOf(step: Step): CartEvent | undefined {
    const cartId = step.do.startsWith('guest') ? guest : user;
    const { all } = cartId === guest ? this.guest : this.user;
    const common = { cartId, atMs: this.#nowMs, dot: dotOf(cartId, `c${(this.#count += 1)}`) };
    const here = 'line' in step ? `line-${step.line}` : '';
    const seen = [...all.dots].filter(([, live]) => live.line === here).map(([id]) => dotIn(all, id));
    const everything = everythingIn(all);
    switch (step.do) {
      case 'add':
      case 'guest-add':
        return { ...common, type: 'ItemAdded', line: here, quantity: 1 };
      case 'set':
        return { ...common, type: 'QuantitySet', line: here, quantity: 5, observed: seen };
      case 'remove':
      case 'guest-remove':
        return { ...common, type: 'ItemRemoved', line: here, observed: seen };
      case 'coupon':
        return { ...common, type: 'CouponApplied', code: here };
      case 'clear':
        return { ...common, type: 'CartCleared', observed: everything };
      case 'order':
        return { type: 'OrderPlaced', cartId, atMs: this.#nowMs, orderId: common.dot, dots: everything };
      case 'old-remove':
        // A page of either cart that has been open for any time.
        return { ...common, type: 'CartCleared', observed: this.#pages[step.which % this.#pages.length]! };
      case 'repeat': {
        const repeatable = this.#made.filter((event) => 'dot' in event && event.atMs >= this.#nowMs - repeatMaxMs);
        return repeatable[step.which % Math.max(1, repeatable.length)];
      }
      case 'join':
        return undefined;
    }
  }
}

const everythingIn = (state: CartState): Dot[] => [...state.dots.keys(), ...state.coupons.keys()].map((id) => dotIn(state, id));
const shown = (state: CartState) => ({
  lines: linesOf(state),
  coupons: couponsOf(state).map(({ code, dots }) => [code, [...dots].sort()]),
});
const sorted = ({ lines, coupons }: ReturnType<typeof shown>) => ({
  lines: lines.map((one) => ({ ...one, dots: [...one.dots].sort() })),
  coupons,
});

it('a cart that forgets old deaths shows at every moment what a cart that forgets nothing shows', () => {
  let forgotten = 0;
  fc.assert(
    fc.property(history, (steps) => {
      const lives = new Lives();
      for (const step of steps) {
        lives.take(step);
        expect(sorted(shown(lives.user.pruned))).toEqual(sorted(shown(lives.user.all)));
        expect(sorted(shown(lives.guest.pruned))).toEqual(sorted(shown(lives.guest.all)));
      }
      forgotten += lives.user.all.dead.size + lives.guest.all.dead.size - lives.user.pruned.dead.size - lives.guest.pruned.dead.size;
    }),
    { numRuns: 3_000, seed, verbose: 1 },
  );
  // Without forgotten deaths this test would prove nothing.
  expect(forgotten).toBeGreaterThan(1_000);
});

it('a cart keeps every death for 45 days, so that a repeat within them stays dead', () => {
  const added: CartEvent = { type: 'ItemAdded', cartId: user, atMs: 0, dot: dotOf(user, 'a'), line: 'mug', quantity: 1 };
  const removed: CartEvent = {
    type: 'ItemRemoved',
    cartId: user,
    atMs: 1,
    dot: dotOf(user, 'r'),
    line: 'mug',
    observed: [dotOf(user, 'a')],
  };
  const state = [added, removed].reduce(evolve, emptyCart(user));
  expect(linesOf(evolve(pruneDead(state, 1 + deadKeptMs - 1), added))).toEqual([]);
  // So command.ts must refuse an id of 45 days: the cart has forgotten the death.
  expect(linesOf(evolve(pruneDead(state, 1 + deadKeptMs), added))).toHaveLength(1);
});

it('a removed command stays removed when a guest repeats it and signs in as late as possible', () => {
  // The id is a day ahead, and the command is removed at once. The guest repeats it just before the id is refused, and signs in just before
  // the session ends.
  const [repeatedAtMs, guestLivesMs] = [(1 + 7) * dayMs, 30 * dayMs];
  const add = (cartId: string, atMs: number): CartEvent => ({
    type: 'ItemAdded',
    cartId,
    atMs,
    dot: dotOf(cartId, 'a'),
    line: 'mug',
    quantity: 1,
  });
  const removed: CartEvent = {
    type: 'ItemRemoved',
    cartId: user,
    atMs: 1,
    dot: dotOf(user, 'r'),
    line: 'mug',
    observed: [dotOf(user, 'a')],
  };
  const ofGuest = evolve(emptyCart(guest), add(guest, repeatedAtMs));
  let ofUser = [add(user, 0), removed].reduce(evolve, emptyCart(user));
  // Each event of the user's cart prunes it.
  for (let atMs = 0; atMs < repeatedAtMs + guestLivesMs; atMs += dayMs) ofUser = pruneDead(ofUser, atMs);
  const { dots, coupons, dead, origins } = ofGuest;
  const atMs = repeatedAtMs + guestLivesMs;
  ofUser = evolve(ofUser, { type: 'GuestJoined', cartId: user, atMs, guestCartId: guest, guestOffset: 1n, dots, coupons, dead, origins });
  expect(linesOf(ofUser)).toEqual([]);
  // From now on the command is known to be made in both carts, so its death is never forgotten.
  expect(linesOf(pruneDead(ofUser, 100 * deadKeptMs))).toEqual([]);
  expect(pruneDead(ofUser, 100 * deadKeptMs).dead.has('a')).toBe(true);
});
