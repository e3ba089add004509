/** Notes that the cart page and the drawer share. */
import type { Cart } from '@cloakroom/contracts/http';
import { useEffect, useRef, useState } from 'react';
import { Link } from 'react-router';
import { countOf } from './cart.ts';
import { formatPrice, plural } from '../format.ts';
import { staleWords } from './pending-words.ts';
import { usePending } from './pending.tsx';
import { useCartPosition } from './use-cart-position.ts';

export function EmptyCart() {
  return (
    <div className="empty">
      <img src="/empty-hanger.svg" alt="" width="160" height="120" />
      <p>Your cart is empty.</p>
      <p className="quiet">What you add on this device is still here after you sign in on another.</p>
      <Link to="/products" className="button primary">
        Browse the shop
      </Link>
    </div>
  );
}

/** Says how far the person can trust the cart. It is a view that follows a log, and it may lag. */
export function CartState({ cart }: { readonly cart: Cart }) {
  const merge = cart.merge.state;
  const isUnsure = usePending().length > 0;
  const [joined, setJoined] = useState(false);
  const wasPending = useRef(false);
  useEffect(() => {
    if (wasPending.current && merge === 'merged') setJoined(true);
    wasPending.current = merge === 'pending';
  }, [merge]);
  return (
    <>
      <div aria-live="polite">
        {merge === 'pending' && <p className="note notice">Merging your guest cart… Its lines appear here by themselves.</p>}
        {merge !== 'pending' && joined && <p className="note good">Your guest cart has been added to this cart.</p>}
        {cart.stale && <p className="note notice">{staleWords(cart, isUnsure)}</p>}
      </div>
      {cart.incomplete && (
        <p className="note problem" role="alert">
          This cart may be incomplete: one of its changes could not be read yet. Nothing is lost; it will be added when it is repaired.
        </p>
      )}
    </>
  );
}

/** Always stands beside the heading, so nothing moves when its word changes. CartState says what is wrong. */
export function CartStanding({ cart }: { readonly cart: Cart | undefined }) {
  const { word, tone } = useCartPosition();
  if (cart === undefined) return null;
  return (
    <span className="standing" data-tone={tone} title="Whether all that you wrote or were shown is in view">
      {word}
    </span>
  );
}

export function Subtotal({ cart }: { readonly cart: Cart }) {
  return (
    <p className="subtotal">
      <span>
        Subtotal, {plural(countOf(cart), 'item')}
        <span className="visually-hidden">: </span>
      </span>
      <strong data-testid="subtotal">{formatPrice(cart.subtotal, cart.currency)}</strong>
    </p>
  );
}
