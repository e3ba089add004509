/**
 * Freezes the cart that is being ordered as it was shown, until the person takes a newer one. Lines that another device adds meanwhile are shown,
 * and stay in the cart. Lines that disappear meanwhile cannot be ordered, so the page then takes the newer cart and says what changed.
 */
import type { Cart, OrderPreview } from '@cloakroom/contracts/http';
import { useEffect, useState } from 'react';
import { changesOf, type LineChange } from '../cart/cart-changes.ts';
import { hasOwnWrites, type ShownCart } from '../cart/own-writes.ts';

export interface FrozenCart {
  readonly cart: ShownCart | undefined;
  /** The changes that the last newer cart brought. Undefined: only the person has taken a newer cart. */
  readonly changed: readonly LineChange[] | undefined;
  /** Takes this cart, and says what it changed. */
  readonly replace: (now: Cart) => void;
  /** Takes the next cart that holds all of this page's writes. */
  readonly thaw: () => void;
  readonly forgetChanged: () => void;
}

/**
 * Whether the cart holds all of this page's writes and waits for no guest's lines. A stale cart with `behind` 0 passes: its log cannot be heard,
 * and the gateway judges that.
 */
export const isSettled = (cart: ShownCart): boolean => !hasOwnWrites(cart) && cart.merge.state !== 'pending' && cart.behind === 0;

export function useFrozenCart(live: ShownCart | undefined): FrozenCart {
  const [cart, setCart] = useState<ShownCart>();
  const [changed, setChanged] = useState<readonly LineChange[]>();
  if (cart === undefined && live !== undefined && isSettled(live)) setCart(live);
  return {
    cart,
    changed,
    replace: (now) => {
      setChanged(cart && changesOf(cart, now));
      setCart(now);
    },
    thaw: () => setCart(undefined),
    forgetChanged: () => setChanged(undefined),
  };
}

/** @param asked the preview of the frozen cart, not of the one before it */
export function useFollowCart(frozen: FrozenCart, live: ShownCart | undefined, asked: OrderPreview | undefined, hold: boolean): void {
  const isBehind = asked?.cartChanged === true && live !== undefined && isSettled(live) && live.seen !== frozen.cart?.seen;
  useEffect(() => {
    if (isBehind && !hold) frozen.replace(live);
  });
}
