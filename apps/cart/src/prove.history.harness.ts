/**
 * Histories of one user's cart and one guest's, as pure events: what three devices of the user and one of the guest did, each with the `seen` of what
 * it had heard, its own writes included. Beside the events stands what must come of them, noted when they were made.
 */
import fc from 'fast-check';
import { dotIn, dotOf, emptyCart, evolve, type CartEvent, type CartState, type Dot } from './cart.ts';

export const userCart = 'u_1';
const guestCart = 'g_1';

export type Act =
  | { readonly do: 'add' | 'set'; readonly device: number; readonly line: number; readonly quantity: number }
  | { readonly do: 'remove'; readonly device: number; readonly line: number }
  | { readonly do: 'clear' | 'order'; readonly device: number }
  | { readonly do: 'coupon' | 'uncoupon'; readonly device: number; readonly code: number }
  | { readonly do: 'hear'; readonly device: number; readonly count: number }
  /** The guest's cart as it is now arrives in the user's log. */
  | { readonly do: 'join' };

export const userDeviceCount = 3;
export const goods = ['hat', 'mug', 'pen'];
export const codes = ['WELCOME10', 'WINTER5'];
const guestDevice = 3;
const device = fc.constantFrom(0, 1, 2, guestDevice);
const line = fc.nat({ max: 2 });
const code = fc.nat({ max: 1 });
const quantity = fc.integer({ min: 1, max: 9 });
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('add' as const), device, line, quantity }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('set' as const), device, line, quantity }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('remove' as const), device, line }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const), device }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('order' as const), device }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('coupon' as const, 'uncoupon' as const), device, code }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('hear' as const), device, count: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('join' as const) }) },
);
export const acts = fc.array(act, { maxLength: 14, size: 'max' });

export interface History {
  /** The user's log. */
  readonly events: readonly CartEvent[];
  /** Dots that the user's log tells of, each with what it holds. */
  readonly made: ReadonlySet<Dot>;
  /** Dots that a removal, a set or a clear which the log tells of had seen. */
  readonly observed: ReadonlySet<Dot>;
  readonly ordered: ReadonlySet<Dot>;
  readonly final: CartState;
}

interface Log {
  readonly cartId: string;
  readonly events: CartEvent[];
  readonly made: Set<Dot>;
  readonly observed: Set<Dot>;
}

export function historyOf(steps: readonly Act[]): History {
  const user: Log = { cartId: userCart, events: [], made: new Set(), observed: new Set() };
  const guest: Log = { cartId: guestCart, events: [], made: new Set(), observed: new Set() };
  const ordered = new Set<Dot>();
  const devices = [user, user, user, guest].map((log) => ({ log, state: emptyCart(log.cartId), heard: 0 }));
  for (const [index, what] of steps.entries()) {
    if (what.do === 'join') {
      user.events.push(joinOf(guest.events, index));
      for (const dot of guest.made) user.made.add(dot);
      for (const dot of guest.observed) user.observed.add(dot);
      continue;
    }
    const self = devices[what.device]!;
    const { log } = self;
    if (what.do === 'hear') {
      for (const event of log.events.slice(self.heard, self.heard + what.count)) self.state = evolve(self.state, event);
      self.heard = Math.min(self.heard + what.count, log.events.length);
      continue;
    }
    const event = eventOf(log.cartId, index, what, self.state, ordered);
    if (event === undefined) continue;
    note(log, event);
    log.events.push(event);
    self.state = evolve(self.state, event);
  }
  return { events: user.events, made: user.made, observed: user.observed, ordered, final: apply(user.events) };
}

function note(log: Log, event: CartEvent): void {
  if (event.type === 'ItemAdded' || event.type === 'QuantitySet' || event.type === 'CouponApplied') log.made.add(event.dot);
  if ('observed' in event) for (const dot of event.observed) log.observed.add(dot);
}

export function joinOf(guestEvents: readonly CartEvent[], index: number): CartEvent {
  const { dots, coupons, dead, origins } = apply(guestEvents, guestCart);
  const common = { cartId: userCart, atMs: 2_000 + index, guestCartId: guestCart, dots, coupons, dead, origins };
  return { ...common, type: 'GuestJoined', guestOffset: BigInt(guestEvents.length) };
}

/** @param ordered what orders have taken, to which this may add: a dot is ordered once */
function eventOf(
  cartId: string,
  index: number,
  what: Exclude<Act, { do: 'hear' | 'join' }>,
  seen: CartState,
  ordered: Set<Dot>,
): CartEvent | undefined {
  const common = { cartId, atMs: 1_000 + index, dot: dotOf(cartId, `c${index}`) };
  const seenIn = (lineId: string) => [...seen.dots].flatMap(([id, live]) => (live.line === lineId ? [dotIn(seen, id)] : []));
  const allSeen = () => [...seen.dots.keys(), ...seen.coupons.keys()].map((id) => dotIn(seen, id));
  switch (what.do) {
    case 'add':
      return { ...common, type: 'ItemAdded', line: goods[what.line]!, quantity: what.quantity };
    case 'set':
      return { ...common, type: 'QuantitySet', line: goods[what.line]!, quantity: what.quantity, observed: seenIn(goods[what.line]!) };
    case 'remove':
      return { ...common, type: 'ItemRemoved', line: goods[what.line]!, observed: seenIn(goods[what.line]!) };
    case 'clear':
      return { ...common, type: 'CartCleared', observed: allSeen() };
    case 'coupon':
      return { ...common, type: 'CouponApplied', code: codes[what.code]! };
    case 'uncoupon': {
      const observed = [...seen.coupons].flatMap(([id, name]) => (name === codes[what.code]! ? [dotIn(seen, id)] : []));
      return { ...common, type: 'CouponRemoved', code: codes[what.code]!, observed };
    }
    case 'order': {
      const dots = allSeen();
      if (cartId !== userCart || dots.length === 0 || dots.some((dot) => ordered.has(dot))) return undefined;
      for (const dot of dots) ordered.add(dot);
      return { cartId, atMs: common.atMs, type: 'OrderPlaced', orderId: `o${index}`, dots };
    }
  }
}

export const apply = (events: readonly CartEvent[], from: CartState | string = userCart): CartState =>
  events.reduce((state, event) => evolve(state, event), typeof from === 'string' ? emptyCart(from) : from);

/** Text, equal for equal carts: the order of insertion is no part of a cart. */
export function spell(state: CartState): string {
  return JSON.stringify(state, (_key, value: unknown) => {
    if (value instanceof Map) return [...(value as Map<string, unknown>)].sort(([a], [b]) => (a < b ? -1 : 1));
    return typeof value === 'bigint' ? String(value) : value;
  });
}

/** Any order, any of them twice. */
export const shuffledWithRepeats = (events: readonly CartEvent[]): fc.Arbitrary<CartEvent[]> =>
  fc.subarray([...events]).chain((again) => fc.shuffledSubarray([...events, ...again], { minLength: events.length + again.length }));

export function tellAct(what: Act): string {
  if (what.do === 'join') return 'the guest cart arrives in the user’s';
  const who = what.device === guestDevice ? 'the guest' : `device ${what.device + 1}`;
  switch (what.do) {
    case 'hear':
      return `${who} hears of the next ${what.count}`;
    case 'add':
      return `${who} adds ${what.quantity} ${goods[what.line]}`;
    case 'set':
      return `${who} sets ${goods[what.line]} to ${what.quantity}`;
    case 'remove':
      return `${who} removes ${goods[what.line]}`;
    case 'clear':
      return `${who} empties the cart`;
    case 'order':
      return `${who} orders what it sees`;
    case 'coupon':
      return `${who} adds the coupon ${codes[what.code]}`;
    case 'uncoupon':
      return `${who} removes the coupon ${codes[what.code]}`;
  }
}
