/** Compares two looks at a cart, line by line, and puts the changes into words. */
import type { Cart, CartLine } from '@cloakroom/contracts/http';
import { titleOf } from '../format.ts';

export interface LineChange {
  readonly lineId: string;
  readonly title: string;
  /** 0: the line was not there before, or is not there now. */
  readonly from: number;
  readonly to: number;
}

export function changesOf(before: Pick<Cart, 'lines'>, now: Pick<Cart, 'lines'>): readonly LineChange[] {
  const change = (line: CartLine, from: number, to: number): LineChange => ({ lineId: line.lineId, title: titleOf(line), from, to });
  const quantityIn = (cart: Pick<Cart, 'lines'>, lineId: string): number =>
    cart.lines.find((line) => line.lineId === lineId)?.quantity ?? 0;
  return [
    ...before.lines.map((line) => change(line, line.quantity, quantityIn(now, line.lineId))),
    ...now.lines.filter(({ lineId }) => quantityIn(before, lineId) === 0).map((line) => change(line, 0, line.quantity)),
  ].filter(({ from, to }) => from !== to);
}

export function changeWords({ title, from, to }: LineChange): string {
  if (to === 0) return `${title} was removed.`;
  if (from === 0) return `${to} × ${title} came in.`;
  return `${title}: now ${to} instead of ${from}.`;
}

/**
 * Checks the stock of a line's product against all lines of that product.
 * @returns the quantity that this line may have; undefined if there is enough, or if the stock is unknown
 */
export function enoughFor(line: CartLine, lines: readonly CartLine[]): number | undefined {
  if (line.inStock === undefined) return undefined;
  const others = lines.filter(({ productId, lineId }) => productId === line.productId && lineId !== line.lineId);
  const left = line.inStock - others.reduce((sum, { quantity }) => sum + quantity, 0);
  return line.quantity <= left ? undefined : Math.max(0, left);
}
