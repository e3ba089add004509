/**
 * Keeps this page's writes that no answer has shown yet. The `seen` of a stale answer lacks the newest command of a line. A change sent with it
 * would count beside that command instead of replacing it. So the page keeps the newest 202 of a line until an answer holds it.
 */
import type { Cart, CartLine } from '@cloakroom/contracts/http';

export type OwnWrite = Pick<CartLine, 'quantity' | 'seen'>;
type OwnWrites = Readonly<Record<string, OwnWrite>>;

/** `own` is by line id. A quantity of 0 means that this page removed the line. */
export interface ShownCart extends Cart {
  readonly own?: OwnWrites;
}

/** The cart as it will be. The page shows it until it reads the cart again. */
export function withWrite(cart: ShownCart, lineId: string, write: OwnWrite): ShownCart {
  return shown(cart, { ...cart.own, [lineId]: write });
}

/** Forgets this page's write to a line, because a removed line is there again. */
export function withoutWrite(cart: ShownCart, lineId: string): ShownCart {
  const { [lineId]: _removal, ...own } = cart.own ?? {};
  return { ...cart, own };
}

/** @param before the writes that were done when the page asked for this answer: a fresh answer holds them, and nothing later */
export function withOwnWrites(answer: Cart, before: OwnWrites = {}, now: OwnWrites = {}): ShownCart {
  const missing = Object.entries(now).filter(([lineId, write]) => mayLackWrites(answer) || before[lineId] !== write);
  return shown(answer, Object.fromEntries(missing));
}

/** A page writes to the log of its own region. So an answer that waits for another region alone holds what the page wrote. */
const mayLackWrites = ({ stale, behind, behindRegions }: Cart): boolean => stale && (behind > 0 || behindRegions === undefined);

/** Shows the quantity of a command that is under way. */
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
