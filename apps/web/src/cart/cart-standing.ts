import type { Cart } from '@cloakroom/contracts/http';

/**
 * One word for the state of the cart. Its page and the session bar use the same.
 * @param without why there is no cart to speak of: none was begun, the page still waits for the answer, or the answer was a failure
 */
export function cartPosition(
  cart: (Pick<Cart, 'merge' | 'stale' | 'behind'> & { readonly incomplete?: boolean }) | undefined,
  without: 'none' | 'loading' | 'failed' = 'none',
): {
  readonly word: string;
  readonly tone: 'good' | 'quiet' | 'warn';
} {
  if (cart === undefined) return { word: wordsWithout[without], tone: without === 'failed' ? 'warn' : 'quiet' };
  if (cart.incomplete === true) return { word: 'incomplete', tone: 'warn' };
  if (cart.merge.state === 'pending') return { word: 'merging', tone: 'warn' };
  if (cart.stale) return { word: cart.behind > 0 ? `behind by ${cart.behind}` : 'behind', tone: 'warn' };
  return { word: 'converged', tone: 'good' };
}

const wordsWithout = { none: 'no cart', loading: 'loading …', failed: 'not known' } as const;
