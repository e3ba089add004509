/**
 * EXERCISE, WRONG ON PURPOSE: the last writer wins, line by line, as in a table with a row per line (Cassandra, DynamoDB global tables). An add is
 * "read the number, write the number plus n", and the write that arrives last stands, whatever it had not seen. So of two adds at one moment
 * one is lost, and a removal takes an add along that nobody who removed had seen.
 */
import { commandOfDot, evolve, linesOf, type CartEvent, type CartState, type Dot, type Live } from '../cart.ts';
import type { LineId } from '../lines.ts';
import { roundTrip, type CartModel } from './model.ts';

export const lww: CartModel = {
  async write({ event, read }) {
    if (event.type !== 'ItemAdded') return event;
    const cart = await read();
    if (cart.dots.has(event.dot)) return event;
    const before = linesOf(cart).find(({ lineId }) => lineId === event.line)?.quantity ?? 0;
    await roundTrip();
    return { ...event, type: 'QuantitySet', quantity: before + event.quantity, observed: [] };
  },
  evolve(state, event) {
    switch (event.type) {
      case 'QuantitySet': {
        const live: Live = { line: event.line, quantity: event.quantity, kind: 'set' };
        return { ...state, dots: new Map(without(state, event.line)).set(event.dot, live) };
      }
      case 'ItemRemoved':
        return { ...state, dots: new Map(without(state, event.line)) };
      case 'CartCleared':
        return { ...state, dots: new Map() };
      case 'GuestJoined':
        return join(state, event);
      default:
        return evolve(state, event);
    }
  },
};

const without = (state: CartState, line: LineId): [Dot, Live][] => [...state.dots].filter(([, live]) => live.line !== line);

/** Whichever of the two carts wrote a line last, by the clocks of the clients. */
function join(state: CartState, event: Extract<CartEvent, { type: 'GuestJoined' }>): CartState {
  const joined = evolve(state, event);
  if (joined === state) return state;
  const newest = new Map<LineId, string>();
  const later = (dot: Dot, line: LineId) => commandOfDot(dot) > (newest.get(line) ?? '');
  for (const [dot, { line }] of [...state.dots, ...event.dots]) if (later(dot, line)) newest.set(line, commandOfDot(dot));
  return { ...joined, dots: new Map([...joined.dots].filter(([dot, { line }]) => commandOfDot(dot) === newest.get(line))) };
}
