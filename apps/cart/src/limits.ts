/** What a command may do to a cart, as far as the view knows it. Best effort: two devices may pass a limit together. */
import { problem, type Problem } from '@cloakroom/contracts';
import { isOtherCommand, type CartEvent, type CartState, type Live } from './cart.ts';

/** What a page can show, and what a check-out can price in one call. */
export const lineCountMax = 100;
/** A `seen` names every live dot: 500 are 8 kB. Folding old adds into one set would allow more and is not done (docs/carts.md). */
export const liveDotCountMax = 500;
/** A fortnight of kills. Since `seen` is unsigned, anyone could grow their own cart's record without this; 5,000 are 350 kB. */
export const deadDotCountMax = 5_000;
/** One command's worth. Stock is judged at check-out. */
export const quantityMax = 999;

export function checkLimits(state: CartState, event: CartEvent): Problem | undefined {
  if (!('dot' in event)) return undefined;
  const live = liveOf(event);
  if (isOtherCommand(state, event.dot, live)) return problem('command_conflict');
  const known = state.dots.has(event.dot) || state.dead.has(event.dot);
  if (known) return undefined;
  const observed = 'observed' in event ? event.observed : [];
  const newlyDead = observed.filter((dot) => !state.dead.has(dot) && !state.dots.has(dot)).length;
  if (state.dead.size + newlyDead > deadDotCountMax) return problem('limit_exceeded', `at most ${deadDotCountMax} removals in 14 days`);
  if (live === undefined) return undefined;
  const killed = observed.filter((dot) => state.dots.get(dot)?.line === live.line).length;
  if (state.dots.size - killed + 1 > liveDotCountMax)
    return problem('limit_exceeded', `at most ${liveDotCountMax} changes to one cart at a time`);
  const lines = new Set([...state.dots.values()].map(({ line }) => line)).add(live.line);
  return lines.size > lineCountMax ? problem('limit_exceeded', `at most ${lineCountMax} lines`) : undefined;
}

function liveOf(event: CartEvent): Live | undefined {
  if (event.type === 'ItemAdded') return { line: event.line, quantity: event.quantity, kind: 'add' };
  if (event.type === 'QuantitySet') return { line: event.line, quantity: event.quantity, kind: 'set' };
  return undefined;
}
