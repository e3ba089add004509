/**
 * Histories of one user's cart and one guest's, as pure events. Three devices of the user and one of the guest act. Each event carries the `seen` of
 * the events that its device had heard, its own writes included.
 *
 * A device may send a command again in the other cart: its answer was lost and the device signed in meanwhile, or its first request came late. Beside
 * the events the history holds the expected result by command id, noted as each event was made.
 */
import fc from 'fast-check';
import { couponsOf, dotOf, emptyCart, evolve, linesOf, type CartEvent, type CartState, type Dot } from '../../apps/cart/src/model/cart.ts';

/** The command of a dot. Written here a second time, so that the proven code does not decide which dots are one command. */
export const commandOf = (dot: Dot): string => dot.slice(dot.indexOf('/') + 1);

export const userCart = 'u_1';
export const guestCart = 'g_1';

export type Act =
  | { readonly do: 'add' | 'set'; readonly device: number; readonly line: number; readonly quantity: number }
  | { readonly do: 'remove'; readonly device: number; readonly line: number }
  | { readonly do: 'clear' | 'order'; readonly device: number }
  | { readonly do: 'coupon' | 'uncoupon'; readonly device: number; readonly code: number }
  | { readonly do: 'hear'; readonly device: number; readonly count: number }
  /** The guest's cart, in its present state, arrives in the user's log. */
  | { readonly do: 'join' }
  /** The user sends a guest's command again, or the other way round: the same id and the same words. */
  | { readonly do: 'again'; readonly nth: number };

export const userDeviceCount = 3;
export const goods = ['hat', 'mug', 'pen'];
export const codes = ['WELCOME10', 'WINTER5'];
export const guestDevice = 3;
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
  { weight: 3, arbitrary: fc.record({ do: fc.constant('again' as const), nth: fc.nat({ max: 4 }) }) },
);
export const acts = fc.array(act, { maxLength: 14, size: 'max' });

export interface History {
  /** The user's log. */
  readonly events: readonly CartEvent[];
  /** The guest's log. */
  readonly guestEvents: readonly CartEvent[];
  /** Ids of the commands in the user's log that put something into the cart. */
  readonly made: ReadonlySet<string>;
  /** Commands that a removal, a set or a clear in the log had seen, in whichever cart. */
  readonly observed: ReadonlySet<string>;
  readonly ordered: ReadonlySet<string>;
  /** The quantity that each line must show: every command counts once. */
  readonly due: ReadonlyMap<string, number>;
  readonly final: CartState;
}

interface Log {
  readonly cartId: string;
  readonly events: CartEvent[];
  readonly made: Set<string>;
  readonly observed: Set<string>;
}

type Commanded = Extract<CartEvent, { readonly dot: Dot }>;

export function historyOf(steps: readonly Act[]): History {
  const user: Log = { cartId: userCart, events: [], made: new Set(), observed: new Set() };
  const guest: Log = { cartId: guestCart, events: [], made: new Set(), observed: new Set() };
  const ordered = new Set<string>();
  const sent: { readonly to: Log; readonly event: Commanded }[] = [];
  const devices = [user, user, user, guest].map((log) => ({ log, state: emptyCart(log.cartId), heard: 0 }));
  for (const [index, what] of steps.entries()) {
    if (what.do === 'join') {
      user.events.push(joinOf(guest.events, index));
      for (const command of guest.made) user.made.add(command);
      for (const command of guest.observed) user.observed.add(command);
      continue;
    }
    if (what.do === 'again') {
      const first = sent[what.nth];
      if (first !== undefined)
        write(first.to === user ? guest : user, againOf(first.event, first.to === user ? guestCart : userCart, index));
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
    if ('dot' in event) sent.push({ to: log, event });
    write(log, event);
    self.state = evolve(self.state, event);
  }
  const due = quantitiesOf(sent.flatMap(({ event }) => (isDue(commandOf(event.dot), user, ordered) ? [event] : [])));
  const { events, made, observed } = user;
  return { events, guestEvents: guest.events, made, observed, ordered, due, final: apply(events) };
}

const isDue = (command: string, { made, observed }: Log, ordered: ReadonlySet<string>): boolean =>
  made.has(command) && !observed.has(command) && !ordered.has(command);

function write(log: Log, event: CartEvent): void {
  if (event.type === 'ItemAdded' || event.type === 'QuantitySet' || event.type === 'CouponApplied') log.made.add(commandOf(event.dot));
  if ('observed' in event) for (const dot of event.observed) log.observed.add(commandOf(dot));
  log.events.push(event);
}

/** Repeats the event word for word, with its `seen`: a page repeats the request that it has. */
const againOf = (event: Commanded, cartId: string, index: number): CartEvent => ({
  ...event,
  cartId,
  atMs: 1_000 + index,
  dot: dotOf(cartId, commandOf(event.dot)),
});

function quantitiesOf(events: readonly CartEvent[]): Map<string, number> {
  const lines = new Map<string, { set: number; added: number }>();
  for (const event of events) {
    if (event.type !== 'ItemAdded' && event.type !== 'QuantitySet') continue;
    const line = lines.get(event.line) ?? { set: 0, added: 0 };
    if (event.type === 'ItemAdded') line.added += event.quantity;
    else line.set = Math.max(line.set, event.quantity);
    lines.set(event.line, line);
  }
  return new Map([...lines].map(([line, { set, added }]) => [line, set + added]));
}

export function joinOf(guestEvents: readonly CartEvent[], index: number): CartEvent {
  const { dots, coupons, dead, origins } = apply(guestEvents, guestCart);
  const common = { cartId: userCart, atMs: 2_000 + index, guestCartId: guestCart, dots, coupons, dead, origins };
  return { ...common, type: 'GuestJoined', guestOffset: BigInt(guestEvents.length) };
}

/** @param ordered the commands that orders have taken; an order adds its own, since a command is ordered once */
function eventOf(
  cartId: string,
  index: number,
  what: Exclude<Act, { do: 'hear' | 'join' | 'again' }>,
  seen: CartState,
  ordered: Set<string>,
): CartEvent | undefined {
  const common = { cartId, atMs: 1_000 + index, dot: dotOf(cartId, `c${index}`) };
  const seenIn = (lineId: string) => linesOf(seen).flatMap((line) => (line.lineId === lineId ? line.dots : []));
  const allSeen = (): Dot[] => [...linesOf(seen), ...couponsOf(seen)].flatMap(({ dots }) => dots);
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
      const observed = couponsOf(seen).flatMap((coupon) => (coupon.code === codes[what.code]! ? coupon.dots : []));
      return { ...common, type: 'CouponRemoved', code: codes[what.code]!, observed };
    }
    case 'order': {
      const dots = allSeen();
      if (cartId !== userCart || dots.length === 0 || dots.some((dot) => ordered.has(commandOf(dot)))) return undefined;
      for (const dot of dots) ordered.add(commandOf(dot));
      return { cartId, atMs: common.atMs, type: 'OrderPlaced', orderId: `o${index}`, dots };
    }
  }
}

export const apply = (events: readonly CartEvent[], from: CartState | string = userCart): CartState =>
  events.reduce((state, event) => evolve(state, event), typeof from === 'string' ? emptyCart(from) : from);

/** The events in any order, any of them twice. */
export const shuffledWithRepeats = (events: readonly CartEvent[]): fc.Arbitrary<CartEvent[]> =>
  fc.subarray([...events]).chain((again) => fc.shuffledSubarray([...events, ...again], { minLength: events.length + again.length }));

export function tellAct(what: Act): string {
  if (what.do === 'join') return 'the guest cart arrives in the user’s';
  if (what.do === 'again')
    return `command ${what.nth + 1} is sent again, by the user if it was the guest’s and by the guest if it was the user’s`;
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
