/** Limits of a cart, checked against what the view knows. Best effort: two devices may pass a limit together. */
import { cartLineCountMax, isGuestSubject, problem, type Problem } from '@cloakroom/contracts';
import { cartOfDot, commandOfDot, isOtherCommand, type CartEvent, type CartState, type CommandId, type Dot, type Made } from './cart.ts';

/** A `seen` names every live dot, and 500 are 8 kB. Folding old adds would allow more: docs/decisions/0015-old-adds-are-not-folded.md. */
export const liveDotCountMax = 500;
/** One of them counts at check-out. A person who notes ten is trying codes. */
export const couponCountMax = 10;
/** Bounds a coupon that is noted again and again. */
export const couponDotCountMax = 50;
/**
 * Deaths within `deadKeptMs`: 111 a day. `seen` is unsigned, so without this anyone could grow their own cart's record. 5,000 are 110 kB.
 */
export const deadDotCountMax = 5_000;
/** For a guest's cart. At sign-in its deaths join the user's cart, which never forgets them. */
export const guestDeadDotCountMax = 1_000;
/** A cart never forgets deaths of other carts' dots (cart.ts). This bounds made-up ones, so that a live dot can always be killed. */
export const foreignDeadDotCountMax = 2_000;

export function checkLimits(state: CartState, event: CartEvent): Problem | undefined {
  if (!('dot' in event)) return undefined;
  const made = madeBy(event);
  const id = commandOfDot(event.dot);
  if (isOtherCommand(state, id, made)) return problem('command_conflict');
  if (state.dots.has(id) || state.coupons.has(id) || state.dead.has(id)) return undefined;
  const observed = 'observed' in event ? event.observed : [];
  const tooManyDead = checkDead(state, observed);
  if (tooManyDead !== undefined || made === undefined) return tooManyDead;
  if (typeof made === 'string') return checkCoupons(state, made);
  const killed = new Set(observed.map(commandOfDot).filter((one) => state.dots.get(one)?.line === made.line)).size;
  if (state.dots.size - killed + 1 > liveDotCountMax)
    return problem(
      'limit_exceeded',
      `at most ${liveDotCountMax} changes stand in one cart at a time: setting a line's quantity makes one of all that were seen of it`,
    );
  const lines = new Set([...state.dots.values()].map(({ line }) => line)).add(made.line);
  return lines.size > cartLineCountMax ? problem('limit_exceeded', `at most ${cartLineCountMax} lines`) : undefined;
}

/** Each foreign name counts, even a further name of a known command: a `seen` may name any command under made-up carts. */
function checkDead(state: CartState, observed: readonly Dot[]): Problem | undefined {
  const isKnown = (id: CommandId): boolean => [state.dots, state.coupons, state.dead, state.doomed].some((known) => known.has(id));
  const dead = [...state.dead.keys(), ...state.doomed.keys()];
  const foreignOf = (id: CommandId): number => state.origins.get(id)?.filter((cartId) => cartId !== state.cartId).length ?? 0;
  const foreign = dead.reduce((sum, id) => sum + foreignOf(id), 0);
  const made = observed.filter(
    (dot) => cartOfDot(dot) !== state.cartId && state.origins.get(commandOfDot(dot))?.includes(cartOfDot(dot)) !== true,
  );
  if (made.length > 0 && foreign + made.length > foreignDeadDotCountMax)
    return problem('limit_exceeded', `at most ${foreignDeadDotCountMax} removals of what no cart is known to hold`);
  const own = dead.filter((id) => foreignOf(id) === 0).length;
  const madeOwn = new Set(
    observed
      .filter((dot) => cartOfDot(dot) === state.cartId)
      .map(commandOfDot)
      .filter((id) => !isKnown(id)),
  ).size;
  const ownMax = isGuestSubject(state.cartId) ? guestDeadDotCountMax : deadDotCountMax;
  return own + madeOwn > ownMax ? problem('limit_exceeded', `at most ${ownMax} removals in 45 days`) : undefined;
}

function checkCoupons({ coupons }: CartState, code: string): Problem | undefined {
  if (new Set(coupons.values()).add(code).size > couponCountMax)
    return problem('limit_exceeded', `at most ${couponCountMax} coupons in one cart`);
  return coupons.size + 1 > couponDotCountMax ? problem('limit_exceeded', 'this coupon was noted before') : undefined;
}

function madeBy(event: CartEvent): Made {
  if (event.type === 'ItemAdded') return { line: event.line, quantity: event.quantity, kind: 'add' };
  if (event.type === 'QuantitySet') return { line: event.line, quantity: event.quantity, kind: 'set' };
  return event.type === 'CouponApplied' ? event.code : undefined;
}
