/**
 * EXERCISE, WRONG ON PURPOSE: the last writer wins, line by line, as in a table with a row per line (Cassandra, DynamoDB global tables). An add
 * reads the line and writes the line. The write that arrives last stands, even when it had not seen the other. So one of two simultaneous adds
 * is lost, and a removal also takes an add that its sender had not seen.
 */
import { commandOfDot, emptyCart, evolve, type CartState, type CommandId, type Live } from '../../apps/cart/src/model/cart.ts';
import type { LineId } from '../../apps/cart/src/model/lines.ts';
import { isWholeCart, roundTrip, wholeCart, type CartModel } from './model.ts';

export const lww: CartModel = {
  async write({ event, read }) {
    if (event.type !== 'ItemAdded') return event;
    const line = new Map([...(await read()).dots].filter(([, live]) => live.line === event.line));
    await roundTrip();
    const written = evolve({ ...emptyCart(event.cartId), dots: line }, event);
    return wholeCart(written, event.atMs);
  },
  evolve(state, event) {
    if (isWholeCart(event)) return { ...state, dots: new Map([...without(state, linesIn(event.dots)), ...event.dots]) };
    switch (event.type) {
      case 'QuantitySet': {
        const live: Live = { line: event.line, quantity: event.quantity, kind: 'set' };
        return { ...state, dots: new Map(without(state, new Set([event.line]))).set(commandOfDot(event.dot), live) };
      }
      case 'ItemRemoved':
        return { ...state, dots: new Map(without(state, new Set([event.line]))) };
      case 'CartCleared':
        return { ...state, dots: new Map() };
      case 'GuestJoined':
        return join(state, event.dots, evolve(state, event));
      default:
        return evolve(state, event);
    }
  },
};

const linesIn = (dots: ReadonlyMap<CommandId, Live>): Set<LineId> => new Set([...dots.values()].map(({ line }) => line));
const without = (state: CartState, lines: ReadonlySet<LineId>): [CommandId, Live][] =>
  [...state.dots].filter(([, { line }]) => !lines.has(line));

/** When both carts have a line, the one written last stands, by the clocks of the clients. */
function join(before: CartState, ofGuest: ReadonlyMap<CommandId, Live>, after: CartState): CartState {
  if (after === before) return before;
  const newest = (dots: ReadonlyMap<CommandId, Live>, line: LineId): string =>
    [...dots].reduce((last, [id, live]) => (live.line === line && id > last ? id : last), '');
  const theirs = new Set([...linesIn(ofGuest)].filter((line) => newest(ofGuest, line) > newest(before.dots, line)));
  const kept = [...after.dots].filter(([dot, { line }]) => (theirs.has(line) ? ofGuest.has(dot) : before.dots.has(dot)));
  return { ...after, dots: new Map(kept) };
}
