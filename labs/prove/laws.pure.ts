/** The laws of carts as pure events. docs/carts.md explains why each matters. */
import fc from 'fast-check';
import { couponsOf, evolve, linesOf, type CartState } from '../../apps/cart/src/model/cart.ts';
import {
  acts,
  apply,
  codes,
  commandOf,
  goods,
  guestDevice,
  historyOf,
  joinOf,
  shuffledWithRepeats,
  tellAct,
  type Act,
} from './prove.history.ts';
import { spell } from '../../apps/cart/src/model/spell-cart.harness.ts';
import { insist, randomLaw, type Law } from './law.ts';
import { isSomeOrderOf } from './prove.search.ts';

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
  says: 'every acknowledged command lives and counts once, whichever carts took it, or was removed by somebody who saw it, or was ordered, once',
  share: 14,
  made: delivered,
  holds([steps, arrived]) {
    const { made, observed, ordered, due } = historyOf(steps);
    const cart = apply(arrived);
    const living = new Set([...linesOf(cart), ...couponsOf(cart)].flatMap(({ dots }) => dots.map(commandOf)));
    for (const command of made) {
      const lives = living.has(command);
      const gone = observed.has(command) || ordered.has(command);
      insist(lives || gone, () => `${command} is lost: nobody who saw it removed or ordered it`);
      insist(!(lives && gone), () => `${command} was ${ordered.has(command) ? 'ordered' : 'removed'} and lives`);
    }
    insist(
      [...living].every((command) => made.has(command)),
      () => 'more lives than was made',
    );
    insist(linesIn(cart) === spellLines(due), () => `${linesIn(cart)} is shown, and each command once makes ${spellLines(due)}`);
  },
  tell: ([steps, arrived]) => [...told(steps), `arrive as ${arrived.map((event) => (event as { at?: number }).at! + 1).join(', ')}`],
});

/**
 * One device, which is a guest until the first join and the user afterwards. It sees all its actions, but does not yet see commands that were sent
 * again.
 */
const alone = acts.map((steps) => {
  const signedInAt = steps.findIndex((what) => what.do === 'join');
  return steps.flatMap((what, at): Act[] => {
    const guest = at < signedInAt;
    if (what.do === 'join') return at === signedInAt ? [what, { do: 'hear', device: 0, count: steps.length }] : [];
    if (what.do === 'again') return guest || signedInAt < 0 ? [] : [what];
    return what.do === 'hear' || (guest && what.do === 'order') ? [] : [{ ...what, device: guest ? guestDevice : 0 }];
  });
});

const sequential = randomLaw({
  name: 'alone it is a plain map',
  says: 'one device that sees all it does has a map of quantities and a set of coupons, also where it signs in and sends again what it sent as a guest, and an order empties both',
  share: 8,
  made: alone,
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
    if (what.do === 'join' || what.do === 'again' || what.do === 'order' || what.do === 'coupon' || what.do === 'uncoupon') return false;
    if (what.device === guestDevice) return false;
    return what.do === 'hear' || ++commands <= commandsMax;
  });
}

/**
 * Checks line by line, since lines are independent. Suppose two devices each change two lines without having heard of the other. Then no single order
 * need explain both lines at once. For example, device 1 adds a pen and removes the mugs it sees, while device 2 adds a mug and sets the pens to 1.
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
    const { events, guestEvents } = historyOf(steps.filter((what) => what.do !== 'join'));
    const joins = [...guestEvents.keys(), guestEvents.length].map((count) => joinOf(guestEvents.slice(0, count), count));
    return fc.tuple(fc.constant(steps), fc.constant([...events, joins.at(-1)!]), shuffledWithRepeats([...events, ...joins]));
  }),
  holds([, straight, arrived]) {
    const [due, cart] = [apply(straight), apply(arrived)];
    insist(linesIn(cart) === linesIn(due), () => `${linesIn(cart)} for ${linesIn(due)}`);
  },
  tell: ([steps, , arrived]) => [...told(steps), `arrive as ${arrived.map(({ type }) => type).join(', ')}`],
});

function linesIn(cart: CartState): string {
  return spellLines(new Map(linesOf(cart).map(({ lineId, quantity }) => [lineId, quantity])));
}

function spellLines(lines: ReadonlyMap<string, number>): string {
  const spelt = [...lines].sort(([a], [b]) => (a < b ? -1 : 1)).map(([line, quantity]) => `${quantity} of ${line}`);
  return spelt.join(' and ') || 'nothing';
}

function difference(arrived: CartState, due: CartState): string {
  const [here, there] = [linesIn(arrived), linesIn(due)];
  return here === there ? `${here} in either order, but not of the same dots` : `${here} in this order, ${there} in that of the log`;
}

export const pureLaws: readonly Law[] = [commutative, associative, idempotent, conservation, sequential, linearizable, guests];
