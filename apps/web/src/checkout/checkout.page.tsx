import { useIsMutating } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { CartState, EmptyCart } from '../cart/cart-status.tsx';
import { useCart } from '../cart/cart.ts';
import { AddressStep, useChosenAddress } from './checkout-address.tsx';
import { Outcome, useAfterRefusal } from './checkout-outcome.tsx';
import { PaymentStep } from './checkout-payment.tsx';
import { OrderSummary } from './checkout-summary.tsx';
import { usePreview } from '../orders/orders.ts';
import type { ShownCart } from '../cart/own-writes.ts';
import type { PaymentMethod } from '../orders/payment-methods.ts';
import { Loading, ProblemNote } from '../components/problem-note.tsx';
import { useSession } from '../session/session.tsx';
import { keys } from '../api/shop.tsx';
import { useFollowCart, useFrozenCart } from './use-frozen-cart.ts';
import { usePlaceOrder } from './use-place-order.ts';

export default function CheckOutPage() {
  const { session, error, retry } = useSession();
  const cart = useCart();
  const userId = session?.state === 'user' ? session.user?.id : undefined;
  return (
    <>
      <title>Check out · Cloakroom</title>
      <nav aria-label="Breadcrumb" className="crumbs">
        <Link to="/cart">Cart</Link>
        <span>Check out</span>
      </nav>
      <h1>Check out</h1>
      <ProblemNote error={error} onRetry={retry} />
      {session === undefined && !error && <Loading what="the check-out" />}
      {session !== undefined && userId === undefined && <SignInFirst isGuest={session.state === 'guest'} />}
      {userId !== undefined && (
        <>
          <ProblemNote error={cart.error} onRetry={() => void cart.refetch()} />
          <CheckOut key={userId} userId={userId} live={cart.data} />
        </>
      )}
    </>
  );
}

function SignInFirst({ isGuest }: { readonly isGuest: boolean }) {
  return (
    <div className="empty">
      <img src="/empty-hanger.svg" alt="" width="160" height="120" />
      <p>Sign in to order{isGuest ? '. Your cart comes along.' : '.'}</p>
      <div className="row">
        <Link to="/sign-in?next=/checkout" className="button primary">
          Sign in
        </Link>
        <Link to="/sign-up?next=/checkout" className="button">
          Create an account
        </Link>
      </div>
    </div>
  );
}

function CheckOut({ userId, live }: { readonly userId: string; readonly live: ShownCart | undefined }) {
  const placing = usePlaceOrder(userId);
  const frozen = useFrozenCart(live);
  const address = useChosenAddress();
  const [method, chooseMethod] = useState<PaymentMethod>('card_pays');
  const preview = usePreview(frozen.cart?.seen);
  const changing = useIsMutating({ mutationKey: keys.cart }) > 0;
  // Once the order is sent, or may have been taken, its contents stay as they are until the answer is known.
  const hold = placing.isPending || placing.isUncertain;
  useFollowCart(frozen, live, preview.isPlaceholderData ? undefined : preview.data, hold || changing);
  useAfterRefusal(placing, frozen);
  const [missing, setMissing] = useState(false);
  const total = preview.data?.total;
  const isReady = preview.data !== undefined && !preview.isPlaceholderData && !changing;
  const place = (): void => {
    if (hold && placing.asked) return placing.place(placing.asked.wish);
    setMissing(address.addressId === undefined);
    if (address.addressId === undefined) return document.getElementById('deliver-to')?.focus();
    if (!isReady || total === undefined || frozen.cart === undefined) return;
    frozen.forgetChanged();
    placing.place({ addressId: address.addressId, seen: frozen.cart.seen, expectedTotal: total, paymentMethod: method });
  };
  if (frozen.cart?.lines.length === 0 && !hold && !changing) return frozen.changed ? <AllGone /> : <EmptyCart />;
  return (
    <>
      {live && <CartState cart={live} />}
      <div className="cart-columns checkout">
        <div className="sections">
          <AddressStep chosen={address} disabled={hold} />
          <PaymentStep method={method} onChoose={chooseMethod} disabled={hold} />
        </div>
        <OrderSummary
          preview={preview}
          isBusy={!isReady}
          isHeld={hold}
          frozen={frozen}
          live={live}
          onPlace={place}
          placing={placing}
          outcome={
            <Outcome
              placing={placing}
              frozen={frozen}
              total={total}
              onPay={place}
              addressIsMissing={missing && address.addressId === undefined}
            />
          }
        />
      </div>
    </>
  );
}

function AllGone() {
  return (
    <>
      <p className="note notice" role="alert">
        What was here is no longer in your cart: it was removed, or ordered, on another device. <Link to="/orders">Your orders</Link>
      </p>
      <EmptyCart />
    </>
  );
}
