/**
 * What is being ordered: the cart as it was shown, until the person takes a newer one. What comes in on another device meanwhile is shown, and
 * stays in the cart; what goes out meanwhile cannot be ordered any more, so then the cart is taken as it is, and what changed is said.
 */
import type { Cart, OrderPreview } from '@cloakroom/contracts/http';
import { useEffect, useState } from 'react';
import { changesOf, type LineChange } from '../cart/cart-changes.ts';
import { hasOwnWrites, type ShownCart } from '../cart/own-writes.ts';

export interface FrozenCart {
  readonly cart: ShownCart | undefined;
  /** What the last newer cart changed of what is ordered. Undefined: none was taken but by the person. */
  readonly changed: readonly LineChange[] | undefined;
  /** Takes this one, and says what that changed. */
  readonly replace: (now: Cart) => void;
  /** Takes the next one that holds all that was written here. */
  readonly thaw: () => void;
  readonly forgetChanged: () => void;
}

/** All that this page wrote is in it, and no guest's lines are on their way. A log that cannot be heard (behind 0) is for the gateway to judge. */
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

/** @param asked the preview of what is frozen, and not of what was frozen before */
export function useFollowCart(frozen: FrozenCart, live: ShownCart | undefined, asked: OrderPreview | undefined, hold: boolean): void {
  const isBehind = asked?.cartChanged === true && live !== undefined && isSettled(live) && live.seen !== frozen.cart?.seen;
  useEffect(() => {
    if (isBehind && !hold) frozen.replace(live);
  });
}
