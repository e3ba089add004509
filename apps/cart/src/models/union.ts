/**
 * EXERCISE, WRONG ON PURPOSE: siblings are joined by union, as Dynamo's carts were (DeCandia et al., SOSP 2007, 4.4: "deleted items can resurface").
 * A device writes the cart as it has it; what another one removed meanwhile is still in its copy, and there is no tombstone to say so. So what was
 * removed on one device comes back with the next add on another one.
 */
import { commandOfDot, evolve, type CartEvent, type CartState, type CommandId, type Live } from '../model/cart.ts';
import { emptyCart } from '../model/cart.ts';
import { isWholeCart, wholeCart, type CartModel } from './model.ts';

/** Dots whose content is remembered. Here the service knows what a device has: in Dynamo's API the device sends its whole copy along. */
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
  // What dies is taken out and forgotten; an order alone is remembered, in another system.
  return event.type === 'OrderPlaced' || after.dead.size === 0 ? after : { ...after, dead: new Map() };
}
