import { useIsMutating } from '@tanstack/react-query';
import { Link } from 'react-router';
import { CartLines, useOfferUndo } from './cart-lines.tsx';
import { CartStanding, CartState, EmptyCart, Subtotal } from './cart-status.tsx';
import { useCart, useClearCart } from './cart.ts';
import { bestCoupon, Coupons } from './coupons.tsx';
import { Totals } from '../orders/order-lines.tsx';
import { usePreview } from '../orders/orders.ts';
import { hasOwnWrites, type ShownCart } from './own-writes.ts';
import { usePending } from './pending.tsx';
import { Loading, ProblemNote } from '../components/problem-note.tsx';
import { useSession } from '../session/session.tsx';
import { keys } from '../api/shop.tsx';

export default function CartPage() {
  const { session, error, retry } = useSession();
  const cart = useCart();
  return (
    <>
      <title>Cart · Cloakroom</title>
      <div className="cart-head">
        <h1>Your cart</h1>
        <CartStanding cart={cart.data} />
      </div>
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
  // The shop judges a guest's coupons after the sign-in, because some coupons count once for each person.
  const preview = usePreview(isUser && cart.coupons && cart.coupons.length > 0 ? cart.seen : undefined);
  const clear = useClearCart((lines) => offerUndo(lines, 'Cart cleared.'));
  // Clearing removes what was seen. While a change is under way, or not in the view yet, the page does not know the newest `seen`.
  const isUnsure = usePending().length > 0;
  const changing = useIsMutating({ mutationKey: keys.cart }) > 0 || isUnsure || hasOwnWrites(cart);
  return (
    <div className="cart-columns">
      <CartLines cart={cart} />
      <section className="summary" aria-labelledby="summary">
        <h2 id="summary">Summary</h2>
        <Subtotal cart={cart} />
        <Coupons cart={cart} preview={preview.data} />
        {preview.data && preview.data.discount > 0 && (
          <Totals
            discount={preview.data.discount}
            coupon={bestCoupon(preview.data)}
            total={preview.data.total}
            currency={preview.data.currency}
          />
        )}
        <Link to="/checkout" className="button primary">
          Check out
        </Link>
        {!isUser && (
          <p>
            <Link to="/sign-in?next=/cart">Sign in</Link> to find this cart on your other devices.
          </p>
        )}
        <p className="note plain-note">This is a reference shop: nothing is charged and nothing is sent.</p>
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
