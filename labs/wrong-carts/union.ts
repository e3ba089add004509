/**
 * EXERCISE, WRONG ON PURPOSE: siblings are joined by union, as Dynamo's carts were (DeCandia et al., SOSP 2007, 4.4: "deleted items can resurface").
 * A device writes the cart as it has it. Its copy still holds a line that another device has removed, and no tombstone says so. The next add on
 * the first device brings that line back.
 */
import {
  commandOfDot,
  emptyCart,
  evolve,
  type CartEvent,
  type CartState,
  type CommandId,
  type Live,
} from '../../apps/cart/src/model/cart.ts';
import { isWholeCart, wholeCart, type CartModel } from './model.ts';

/** How many dots are remembered with their content. In Dynamo's API the device sends its whole copy; here the service has to remember it. */
const rememberedCountMax = 20_000;

export function union(): CartModel {
  const shown = new Map<CommandId, Live>();
  const remember = (dots: Iterable<readonly [CommandId, Live]>) => {
    for (const [dot, live] of dots) shown.set(dot, live);
    for (const dot of shown.keys()) if (shown.size > rememberedCountMax) shown.delete(dot);
  };
  return {
    write({ event, seen }) {
      if (event.type !== 'ItemAdded') return Promise.resolve(event);
      const copy = seen.map(commandOfDot).flatMap((id): [CommandId, Live][] => (shown.has(id) ? [[id, shown.get(id)!]] : []));
      const added: Live = { line: event.line, quantity: event.quantity, kind: 'add' };
      const cart = { ...emptyCart(event.cartId), dots: new Map(copy).set(commandOfDot(event.dot), added) };
      return Promise.resolve(wholeCart(cart, event.atMs));
    },
    evolve(state, event) {
      const after = take(state, event);
      remember(after.dots);
      return after;
    },
  };
}

function take(state: CartState, event: CartEvent): CartState {
  if (isWholeCart(event)) return { ...state, dots: new Map([...state.dots, ...event.dots]) };
  const after = evolve(state, event);
  // A dead dot is taken out and forgotten. Only an order is remembered, because another system keeps it.
  return event.type === 'OrderPlaced' || after.dead.size === 0 ? after : { ...after, dead: new Map() };
}
