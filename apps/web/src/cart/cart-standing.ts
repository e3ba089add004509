import type { Cart } from '@cloakroom/contracts/http';

/** One word for the state of the cart. Its page and the session bar use the same. */
export function cartPosition(cart: (Pick<Cart, 'merge' | 'stale' | 'behind'> & { readonly incomplete?: boolean }) | undefined): {
  readonly word: string;
  readonly tone: 'good' | 'quiet' | 'warn';
} {
  if (cart === undefined) return { word: 'no cart', tone: 'quiet' };
  if (cart.incomplete === true) return { word: 'incomplete', tone: 'warn' };
  if (cart.merge.state === 'pending') return { word: 'merging', tone: 'warn' };
  if (cart.stale) return { word: cart.behind > 0 ? `behind by ${cart.behind}` : 'behind', tone: 'warn' };
  return { word: 'converged', tone: 'good' };
}
