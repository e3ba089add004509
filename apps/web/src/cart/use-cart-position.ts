import { useCart } from './cart.ts';
import { cartPosition } from './cart-standing.ts';
import { usePending } from './pending.tsx';
import { useSession } from '../session/session.tsx';

/** The one word for the cart on this page. The session bar and the heading of the cart page both show it, so that they never disagree. */
export function useCartPosition(): ReturnType<typeof cartPosition> {
  const { data: cart, isLoading, isError } = useCart();
  const { session, error } = useSession();
  const isUnsure = usePending().length > 0;
  // Before the first answer about the session, the page does not know either whether there is a cart.
  const failed = isError || (session === undefined && error !== null);
  const without = failed ? 'failed' : isLoading || session === undefined ? 'loading' : 'none';
  return cartPosition(cart, { without, isUnsure });
}
