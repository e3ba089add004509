/** What a command may do to a cart, as far as the view knows it. Best effort: two devices may pass a limit together. */
import { problem, type Problem } from '@cloakroom/contracts';
import { isOtherCommand, type CartEvent, type CartState, type Made } from './cart.ts';

/** What a page can show, and what a check-out can price in one call. */
export const lineCountMax = 100;
/** A `seen` names every live dot: 500 are 8 kB. Folding old adds into one set would allow more and is not done (docs/carts.md). */
export const liveDotCountMax = 500;
/** One of them counts at check-out; a tenth is somebody who tries codes. */
export const couponCountMax = 10;
/** A fortnight of kills. Since `seen` is unsigned, anyone could grow their own cart's record without this; 5,000 are 350 kB. */
export const deadDotCountMax = 5_000;
/** One command's worth. Stock is judged at check-out. */
export const quantityMax = 999;

export function checkLimits(state: CartState, event: CartEvent): Problem | undefined {
  if (!('dot' in event)) return undefined;
  const made = madeBy(event);
  if (isOtherCommand(state, event.dot, made)) return problem('command_conflict');
  if (state.dots.has(event.dot) || state.coupons.has(event.dot) || state.dead.has(event.dot)) return undefined;
  const observed = 'observed' in event ? event.observed : [];
  const newlyDead = observed.filter((dot) => !state.dead.has(dot) && !state.dots.has(dot) && !state.coupons.has(dot)).length;
  if (state.dead.size + newlyDead > deadDotCountMax) return problem('limit_exceeded', `at most ${deadDotCountMax} removals in 14 days`);
  if (made === undefined) return undefined;
  if (typeof made === 'string') {
    return state.coupons.size + 1 > couponCountMax ? problem('limit_exceeded', `at most ${couponCountMax} coupons in one cart`) : undefined;
  }
  const killed = observed.filter((dot) => state.dots.get(dot)?.line === made.line).length;
  if (state.dots.size - killed + 1 > liveDotCountMax)
    return problem('limit_exceeded', `at most ${liveDotCountMax} changes to one cart at a time`);
  const lines = new Set([...state.dots.values()].map(({ line }) => line)).add(made.line);
  return lines.size > lineCountMax ? problem('limit_exceeded', `at most ${lineCountMax} lines`) : undefined;
}

function madeBy(event: CartEvent): Made {
  if (event.type === 'ItemAdded') return { line: event.line, quantity: event.quantity, kind: 'add' };
  if (event.type === 'QuantitySet') return { line: event.line, quantity: event.quantity, kind: 'set' };
  return event.type === 'CouponApplied' ? event.code : undefined;
}
