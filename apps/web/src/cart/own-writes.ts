/**
 * What this page wrote and no answer has shown yet. A stale answer lags behind it: its `seen` lacks the newest command of a line, and a change
 * sent with that would count beside the command instead of replacing it. So the newest 202 of a line outlives every answer that does not hold it.
 */
import type { Cart, CartLine } from '@cloakroom/contracts/http';

export type OwnWrite = Pick<CartLine, 'quantity' | 'seen'>;
type OwnWrites = Readonly<Record<string, OwnWrite>>;

/** By line; 0 is a line that was removed. */
export interface ShownCart extends Cart {
  readonly own?: OwnWrites;
}

/** The cart as it will be, shown until it is read again. */
export function withWrite(cart: ShownCart, lineId: string, write: OwnWrite): ShownCart {
  return shown(cart, { ...cart.own, [lineId]: write });
}

/** A line that was removed is there again. */
export function withoutWrite(cart: ShownCart, lineId: string): ShownCart {
  const { [lineId]: _removal, ...own } = cart.own ?? {};
  return { ...cart, own };
}

/** @param before what had been written when this answer was asked for: a fresh answer holds that, and nothing later */
export function withOwnWrites(answer: Cart, before: OwnWrites = {}, now: OwnWrites = {}): ShownCart {
  const missing = Object.entries(now).filter(([lineId, write]) => answer.stale || before[lineId] !== write);
  return shown(answer, Object.fromEntries(missing));
}

/** The quantity alone, of a command that is under way. */
export const withQuantity = (cart: ShownCart, lineId: string, quantity: number): ShownCart => changed(cart, lineId, { quantity });

export const hasOwnWrites = ({ own = {} }: ShownCart): boolean => Object.keys(own).length > 0;

function shown(cart: Cart, own: OwnWrites): ShownCart {
  let result = cart;
  for (const [lineId, write] of Object.entries(own)) result = changed(result, lineId, write);
  return { ...result, own };
}

function changed<Shown extends Cart>(cart: Shown, lineId: string, change: Partial<OwnWrite>): Shown {
  const lines = cart.lines.map((line) => (line.lineId === lineId ? { ...line, ...change } : line)).filter(({ quantity }) => quantity > 0);
  return { ...cart, lines, subtotal: lines.reduce((sum, line) => sum + line.quantity * line.unitPrice, 0) };
}
