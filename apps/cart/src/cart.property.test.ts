/** The laws of carts.md, each over thousands of made-up histories. A failure prints its seed and path: put them into `runs` to repeat it. */
import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { dotOf, emptyCart, evolve, linesOf, type CartEvent, type CartState, type Dot } from './cart.ts';

const seed = Date.now() % 2 ** 31;
const runs = { numRuns: 2_000, seed, verbose: 1 as const };
console.info(`cart.property.test.ts: seed ${seed}`);

/** What devices do, each seeing what it has heard of so far. */
type Step =
  | { readonly do: 'add'; readonly device: number; readonly line: number; readonly quantity: number }
  | { readonly do: 'set'; readonly device: number; readonly line: number; readonly quantity: number }
  | { readonly do: 'remove'; readonly device: number; readonly line: number }
  | { readonly do: 'clear'; readonly device: number }
  | { readonly do: 'hear'; readonly device: number; readonly count: number };

const device = fc.nat({ max: 2 });
const line = fc.nat({ max: 2 });
const quantity = fc.integer({ min: 1, max: 9 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('add' as const), device, line, quantity }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('set' as const), device, line, quantity }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), device, line }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const), device }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('hear' as const), device, count: fc.integer({ min: 1, max: 9 }) }) },
);
const history = fc.array(step, { maxLength: 14 });

/** Commands as three devices would make them: each with the `seen` of what it had heard, its own writes included. */
function eventsOf(cartId: string, steps: readonly Step[]): CartEvent[] {
  const events: CartEvent[] = [];
  const devices = [0, 1, 2].map(() => ({ state: emptyCart(cartId), heard: 0 }));
  for (const [index, what] of steps.entries()) {
    const self = devices[what.device]!;
    if (what.do === 'hear') {
      for (const event of events.slice(self.heard, self.heard + what.count)) self.state = evolve(self.state, event);
      self.heard = Math.min(self.heard + what.count, events.length);
      continue;
    }
    const event = commandOf(cartId, index, what, self.state);
    events.push(event);
    self.state = evolve(self.state, event);
  }
  return events;
}

function commandOf(cartId: string, index: number, what: Exclude<Step, { do: 'hear' }>, seen: CartState): CartEvent {
  const common = { cartId, atMs: 1_000 + index, dot: dotOf(cartId, `c${index}`) };
  const lineId = what.do === 'clear' ? '' : `line-${what.line}`;
  const observed = [...seen.dots].filter(([, live]) => what.do === 'clear' || live.line === lineId).map(([dot]) => dot);
  switch (what.do) {
    case 'add':
      return { ...common, type: 'ItemAdded', line: lineId, quantity: what.quantity };
    case 'set':
      return { ...common, type: 'QuantitySet', line: lineId, quantity: what.quantity, observed };
    case 'remove':
      return { ...common, type: 'ItemRemoved', line: lineId, observed };
    case 'clear':
      return { ...common, type: 'CartCleared', observed };
  }
}

const apply = (events: readonly CartEvent[], from: CartState): CartState => events.reduce(evolve, from);

/** As objects: order of insertion is no part of a cart. */
const plain = ({ dots, dead, joined, claimedBy }: CartState) => ({
  dots: Object.fromEntries(dots),
  dead: Object.fromEntries(dead),
  joined: Object.fromEntries([...joined].map(([id, { guestOffset, atMs }]) => [id, `${guestOffset} ${atMs}`])),
  claimedBy,
});

/** Any order, any of them twice. */
const shuffledWithRepeats = (events: readonly CartEvent[]): fc.Arbitrary<CartEvent[]> =>
  fc.subarray([...events]).chain((again) => fc.shuffledSubarray([...events, ...again], { minLength: events.length + again.length }));

const withDelivery = history
  .map((steps) => eventsOf('u_1', steps))
  .chain((events) => fc.tuple(fc.constant(events), shuffledWithRepeats(events)));

describe('the laws of a cart', () => {
  it('any order and any repetition of its events give the same cart', () => {
    fc.assert(
      fc.property(withDelivery, ([events, delivered]) => {
        expect(plain(apply(delivered, emptyCart('u_1')))).toEqual(plain(apply(events, emptyCart('u_1'))));
      }),
      runs,
    );
  });

  it('a batch applied in parts, in either order, is the batch', () => {
    fc.assert(
      fc.property(history, fc.nat({ max: 14 }), (steps, cut) => {
        const events = eventsOf('u_1', steps);
        const [left, right] = [events.slice(0, cut), events.slice(cut)];
        const together = plain(apply(events, emptyCart('u_1')));
        expect(plain(apply(right, apply(left, emptyCart('u_1'))))).toEqual(together);
        expect(plain(apply(left, apply(right, emptyCart('u_1'))))).toEqual(together);
      }),
      runs,
    );
  });

  it('an event applied again changes nothing, at once or at the end', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const events = eventsOf('u_1', steps);
        const end = apply(events, emptyCart('u_1'));
        for (const event of events) expect(evolve(end, event)).toBe(end);
      }),
      runs,
    );
  });

  it('every dot ever made is live or was killed by someone who saw it: nothing is lost, nothing returns', () => {
    fc.assert(
      fc.property(withDelivery, ([events, delivered]) => {
        const { dots, dead } = apply(delivered, emptyCart('u_1'));
        const made = events.flatMap((event) => (event.type === 'ItemAdded' || event.type === 'QuantitySet' ? [event.dot] : []));
        const observed = new Set(events.flatMap((event): readonly Dot[] => ('observed' in event ? event.observed : [])));
        for (const dot of made) {
          expect(dots.has(dot)).toBe(!observed.has(dot));
          expect(dead.has(dot)).toBe(observed.has(dot));
        }
        expect(dots.size).toBe(made.filter((dot) => !observed.has(dot)).length);
      }),
      runs,
    );
  });

  it('one device that sees all it does is a plain map of quantities', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const alone = steps.map((what) => ({ ...what, device: 0 }));
        const map = new Map<string, number>();
        for (const what of alone) {
          if (what.do === 'add') map.set(`line-${what.line}`, (map.get(`line-${what.line}`) ?? 0) + what.quantity);
          if (what.do === 'set') map.set(`line-${what.line}`, what.quantity);
          if (what.do === 'remove') map.delete(`line-${what.line}`);
          if (what.do === 'clear') map.clear();
        }
        const cart = apply(eventsOf('u_1', alone), emptyCart('u_1'));
        expect(new Map(linesOf(cart).map(({ lineId, quantity: n }) => [lineId, n]))).toEqual(map);
      }),
      runs,
    );
  });

  it('guests that join in any order, late and twice, give the union of all carts', () => {
    fc.assert(
      fc.property(
        fc.tuple(history, history, history).map(([user, one, two]) => ({
          events: eventsOf('u_1', user),
          guests: [eventsOf('g_1', one), eventsOf('g_2', two)] as const,
        })),
        fc.infiniteStream(fc.nat()),
        ({ events, guests }, random) => {
          // Each guest state along its own log is a join that was forwarded.
          const joins = guests.flatMap((its, index) => joinsOf(`g_${index + 1}`, its));
          const all = [...events, ...joins, ...joins];
          const delivered = all.map((event) => ({ event, at: random.next().value as number })).sort((a, b) => a.at - b.at);
          const user = apply(
            delivered.map(({ event }) => event),
            emptyCart('u_1'),
          );
          const straight = apply([...events, ...joins], emptyCart('u_1'));
          expect(plain(user)).toEqual(plain(straight));
          const expected = [apply(events, emptyCart('u_1')), ...guests.map((its, index) => apply(its, emptyCart(`g_${index + 1}`)))];
          expect([...user.dots.keys()].sort()).toEqual(expected.flatMap(({ dots }) => [...dots.keys()]).sort());
        },
      ),
      runs,
    );
  });
});

function joinsOf(guestCartId: string, events: readonly CartEvent[]): CartEvent[] {
  let state = emptyCart(guestCartId);
  const joins: CartEvent[] = [];
  for (const [offset, event] of [undefined, ...events].entries()) {
    if (event !== undefined) state = evolve(state, event);
    const { dots, coupons, dead } = state;
    joins.push({ cartId: 'u_1', atMs: 2_000 + offset, type: 'GuestJoined', guestCartId, guestOffset: BigInt(offset), dots, coupons, dead });
  }
  return joins;
}
