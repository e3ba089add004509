import type { Cart } from '@cloakroom/contracts/http';

interface Besides {
  /** Why there is no cart to speak of: none was begun, the page still waits for the answer, or the answer was a failure. */
  readonly without?: 'none' | 'loading' | 'failed';
  /** A command of this person may or may not have been taken. Whatever the cart says of itself, it may lack that one. */
  readonly isUnsure?: boolean;
}

/** One word for the state of the cart. Components take it from useCartPosition. */
export function cartPosition(
  cart: (Pick<Cart, 'merge' | 'stale' | 'behind' | 'behindRegions'> & { readonly incomplete?: boolean }) | undefined,
  { without = 'none', isUnsure = false }: Besides = {},
): {
  readonly word: string;
  readonly tone: 'good' | 'quiet' | 'warn';
} {
  if (isUnsure) return { word: 'not sure yet', tone: 'warn' };
  if (cart === undefined) return { word: wordsWithout[without], tone: without === 'failed' ? 'warn' : 'quiet' };
  if (cart.incomplete === true) return { word: 'incomplete', tone: 'warn' };
  if (cart.merge.state === 'pending') return { word: 'merging', tone: 'warn' };
  if (cart.stale) return { word: behindWord(cart), tone: 'warn' };
  return { word: 'converged', tone: 'good' };
}

/** The log of this region comes first: it is the nearer one. */
function behindWord({ behind, behindRegions: [other] = [] }: Pick<Cart, 'behind' | 'behindRegions'>): string {
  if (behind > 0) return `behind by ${behind}`;
  return other === undefined ? 'behind' : `behind ${other.region} by ${other.records}`;
}

const wordsWithout = { none: 'no cart', loading: 'loading …', failed: 'not known' } as const;
