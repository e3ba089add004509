/** The laws of carts as pure events: see docs/carts.md for why each matters. */
import fc from 'fast-check';
import { commandOfDot, couponsOf, evolve, linesOf, type CartEvent, type CartState } from './cart.ts';
import {
  acts,
  apply,
  codes,
  goods,
  historyOf,
  joinOf,
  shuffledWithRepeats,
  spell,
  tellAct,
  userCart,
  type Act,
} from './prove.history.harness.ts';
import { insist, randomLaw, type Law } from './prove.law.harness.ts';
import { isSomeOrderOf } from './prove.search.harness.ts';

const told = (steps: readonly Act[]) => steps.map(tellAct);

/** Order of arrival and repetition, chosen with the history so that both shrink. */
const delivered = acts.chain((steps) => {
  const { events } = historyOf(steps);
  const places = events.map((event, at) => ({ ...event, at }));
  return fc.tuple(fc.constant(steps), shuffledWithRepeats(places));
});

const commutative = randomLaw({
  name: 'any order, any repetition',
  says: 'events that arrive in any order, any of them twice, give the same cart',
  share: 14,
  made: delivered,
  holds([steps, arrived]) {
    const { final } = historyOf(steps);
    insist(spell(apply(arrived)) === spell(final), () => difference(apply(arrived), final));
  },
  tell: ([steps, arrived]) => [...told(steps), `arrive as ${arrived.map((event) => (event as { at?: number }).at! + 1).join(', ')}`],
});

const associative = randomLaw({
  name: 'in parts, either part first',
  says: 'a batch that is applied in two parts, in either order, is the batch',
  share: 8,
  made: fc.tuple(acts, fc.nat({ max: 14 })),
  holds([steps, cut]) {
    const { events, final } = historyOf(steps);
    const [left, right] = [events.slice(0, cut), events.slice(cut)];
    insist(spell(apply(right, apply(left))) === spell(final), () => 'left, then right differs');
    insist(spell(apply(left, apply(right))) === spell(final), () => `right, then left gives ${linesIn(apply(left, apply(right)))}`);
  },
  tell: ([steps, cut]) => [...told(steps), `cut after event ${cut}`],
});

const idempotent = randomLaw({
  name: 'again changes nothing',
  says: 'an event that is applied again changes nothing, and is known by that',
  share: 8,
  made: acts,
  holds(steps) {
    const { events, final } = historyOf(steps);
    for (const event of events) insist(evolve(final, event) === final, () => `${event.type} again changes the cart`);
  },
  tell: told,
});

const conservation = randomLaw({
  name: 'conservation',
  says: 'every acknowledged dot lives, or was removed by somebody who saw it, or was ordered, once',
  share: 14,
  made: delivered,
  holds([steps, arrived]) {
    const { made, observed, ordered } = historyOf(steps);
    const cart = apply(arrived);
    for (const dot of made) {
      const lives = cart.dots.has(commandOfDot(dot)) || cart.coupons.has(commandOfDot(dot));
      const gone = observed.has(dot) || ordered.has(dot);
      insist(lives || gone, () => `${dot} is lost: nobody who saw it removed or ordered it`);
      insist(!(lives && gone), () => `${dot} was ${ordered.has(dot) ? 'ordered' : 'removed'} and lives`);
    }
    insist(
      cart.dots.size + cart.coupons.size === [...made].filter((dot) => !observed.has(dot) && !ordered.has(dot)).length,
      () => 'more lives than was made',
    );
  },
  tell: ([steps, arrived]) => [...told(steps), `arrive as ${arrived.map((event) => (event as { at?: number }).at! + 1).join(', ')}`],
});

const sequential = randomLaw({
  name: 'alone it is a plain map',
  says: 'one device that sees all it does has a map of quantities and a set of coupons, and an order empties both',
  share: 8,
  made: acts.map((steps) => steps.filter((what) => what.do !== 'join' && what.do !== 'hear').map((what): Act => ({ ...what, device: 0 }))),
  holds(steps) {
    const { lines, coupons } = plainCartOf(steps);
    const { final } = historyOf(steps);
    const spelt = (of: Iterable<readonly [string, number]>) => JSON.stringify([...of].sort(([a], [b]) => (a < b ? -1 : 1)));
    const shown = linesOf(final).map(({ lineId, quantity }) => [lineId, quantity] as const);
    insist(spelt(shown) === spelt(lines), () => `shows ${spelt(shown)}, a map would ${spelt(lines)}`);
    const noted = couponsOf(final).map(({ code }) => code);
    insist(noted.join() === [...coupons].sort().join(), () => `coupons ${noted.join()}, a set would have ${[...coupons].join()}`);
  },
  tell: told,
});

function plainCartOf(steps: readonly Act[]): { lines: Map<string, number>; coupons: Set<string> } {
  const lines = new Map<string, number>();
  const coupons = new Set<string>();
  for (const what of steps) {
    if (what.do === 'add') lines.set(goods[what.line]!, (lines.get(goods[what.line]!) ?? 0) + what.quantity);
    if (what.do === 'set') lines.set(goods[what.line]!, what.quantity);
    if (what.do === 'remove') lines.delete(goods[what.line]!);
    if (what.do === 'coupon') coupons.add(codes[what.code]!);
    if (what.do === 'uncoupon') coupons.delete(codes[what.code]!);
    if (what.do === 'clear' || what.do === 'order') {
      lines.clear();
      coupons.clear();
    }
  }
  return { lines, coupons };
}

/** Six commands have at most 720 orders. */
const searchedCommandsMax = 6;
const few = acts.map((steps) => usersFirst(steps, searchedCommandsMax));

function usersFirst(steps: readonly Act[], commandsMax: number): Act[] {
  let commands = 0;
  return steps.filter((what) => {
    if (what.do === 'join' || what.do === 'order' || what.do === 'coupon' || what.do === 'uncoupon' || what.device > 2) return false;
    return what.do === 'hear' || ++commands <= commandsMax;
  });
}

/**
 * Line by line, since each line is a thing of its own: where two devices each change two lines without having heard of the other, no single
 * order need explain both lines at once (device 1 adds a pen and removes the mugs it sees; device 2 adds a mug and sets the pens to 1).
 */
const linearizable = randomLaw({
  name: 'some order explains a line',
  says: `up to ${searchedCommandsMax} commands of three devices leave in each line what a number would hold after them in some order that all devices can have seen`,
  share: 12,
  made: few,
  holds(steps) {
    const { final } = historyOf(steps);
    for (const [line, name] of goods.entries()) {
      const quantity = linesOf(final).find(({ lineId }) => lineId === name)?.quantity ?? 0;
      insist(isSomeOrderOf(steps, line, quantity), () => `no order of these commands gives ${quantity} of ${name}`);
    }
  },
  tell: told,
});

const guests = randomLaw({
  name: 'guests join in any order',
  says: 'joins that arrive late, twice and out of order give the union of all that was made, less what was removed',
  share: 6,
  made: acts.chain((steps) => {
    const { events } = historyOf(steps.filter((what) => what.do !== 'join'));
    const guest = guestEventsOf(steps);
    const joins = [...guest.keys(), guest.length].map((count) => joinOf(guest.slice(0, count), count));
    return fc.tuple(fc.constant(steps), fc.constant([...events, joins.at(-1)!]), shuffledWithRepeats([...events, ...joins]));
  }),
  holds([, straight, arrived]) {
    const [due, cart] = [apply(straight), apply(arrived)];
    insist(linesIn(cart) === linesIn(due), () => `${linesIn(cart)} for ${linesIn(due)}`);
  },
  tell: ([steps, , arrived]) => [...told(steps), `arrive as ${arrived.map(({ type }) => type).join(', ')}`],
});

function guestEventsOf(steps: readonly Act[]): readonly CartEvent[] {
  const mine = steps.flatMap((what): Act[] => (what.do !== 'join' && what.device === 3 ? [{ ...what, device: 0 }] : []));
  return historyOf(mine).events.flatMap((event) => (event.type === 'OrderPlaced' ? [] : [renamed(event)]));
}

/** What a user's device did in its own cart, as a guest's. */
function renamed(event: CartEvent): CartEvent {
  // Ids of its own: what is made in two carts under one id is another law's.
  const ofGuest = (dot: string) => dot.replace(`${userCart}/`, 'g_1/g');
  return {
    ...event,
    cartId: 'g_1',
    ...('dot' in event && { dot: ofGuest(event.dot) }),
    ...('observed' in event && { observed: event.observed.map(ofGuest) }),
  } as CartEvent;
}

function linesIn(cart: CartState): string {
  const lines = linesOf(cart).map(({ lineId, quantity }) => `${quantity} of ${lineId}`);
  return lines.join(' and ') || 'nothing';
}

function difference(arrived: CartState, due: CartState): string {
  const [here, there] = [linesIn(arrived), linesIn(due)];
  return here === there ? `${here} in either order, but not of the same dots` : `${here} in this order, ${there} in that of the log`;
}

export const pureLaws: readonly Law[] = [commutative, associative, idempotent, conservation, sequential, linearizable, guests];
