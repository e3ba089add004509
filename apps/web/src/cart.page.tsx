import { useIsMutating } from '@tanstack/react-query';
import { Link } from 'react-router';
import { CartLines, useOfferUndo } from './cart-lines.tsx';
import { CartState, EmptyCart, Subtotal } from './cart-parts.tsx';
import { useCart, useClearCart } from './cart.ts';
import { hasOwnWrites, type ShownCart } from './own-writes.ts';
import { Loading, ProblemNote } from './problem-note.tsx';
import { useSession } from './session.tsx';
import { keys } from './shop.tsx';

export default function CartPage() {
  const { session, error, retry } = useSession();
  const cart = useCart();
  return (
    <>
      <title>Cart · Cloakroom</title>
      <h1>Your cart</h1>
      <ProblemNote error={error} onRetry={retry} />
      <ProblemNote error={cart.error} onRetry={() => void cart.refetch()} />
      {(cart.isLoading || session === undefined) && !error && <Loading what="your cart" />}
      {session?.state === 'none' && <EmptyCart />}
      {cart.data && <CartState cart={cart.data} />}
      {cart.data && (cart.data.lines.length === 0 ? <EmptyCart /> : <FullCart cart={cart.data} isUser={session?.state === 'user'} />)}
    </>
  );
}

function FullCart({ cart, isUser }: { readonly cart: ShownCart; readonly isUser: boolean }) {
  const offerUndo = useOfferUndo();
  const clear = useClearCart((lines) => offerUndo(lines, 'Cart cleared.'));
  // Clearing removes what was seen; with a change under way, or not in view yet, the cart's newest "seen" is not known.
  const changing = useIsMutating({ mutationKey: keys.cart }) > 0 || hasOwnWrites(cart);
  return (
    <div className="cart-columns">
      <CartLines cart={cart} />
      <section className="summary" aria-labelledby="summary">
        <h2 id="summary">Summary</h2>
        <Subtotal cart={cart} />
        {!isUser && (
          <p>
            <Link to="/sign-in?next=/cart">Sign in</Link> to find this cart on your other devices.
          </p>
        )}
        <p className="note plain-note">This is a reference shop: there is no checkout yet, nothing is charged and nothing is sent.</p>
        <Link to="/products" className="button">
          Keep shopping
        </Link>
        <button type="button" className="plain" disabled={changing} onClick={() => clear.mutate()}>
          Clear cart
        </button>
        <ProblemNote error={clear.error} onRetry={() => clear.mutate()} />
      </section>
    </div>
  );
}
