/** Notes for a "Place order" that did not lead to an order. Each says what the person can do about it. */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, type ReactNode } from 'react';
import { Link } from 'react-router';
import { changeWords } from '../cart/cart-changes.ts';
import { focusPayment } from './checkout-payment.tsx';
import { formatPrice } from '../format.ts';
import { previewKey } from '../orders/orders.ts';
import { ApiProblem } from '../api/request.ts';
import { keys } from '../api/shop.tsx';
import type { FrozenCart } from './use-frozen-cart.ts';
import type { Placing } from './use-place-order.ts';

/** A refusal brings the cart or the preview of now. The page shows it from here on, and the next press orders it. */
export function useAfterRefusal({ error, asked }: Placing, frozen: FrozenCart): void {
  const queryClient = useQueryClient();
  const taken = useRef<Error>(null);
  useEffect(() => {
    if (error === taken.current) return;
    taken.current = error;
    if (!(error instanceof ApiProblem)) return;
    const { cart, preview } = error.now;
    if (preview && asked) queryClient.setQueryData(previewKey(asked.wish.seen), preview);
    if (cart) {
      queryClient.setQueryData(keys.cart, cart);
      frozen.replace(cart);
    } else if (error.code === 'cart_changed') frozen.thaw();
    if (error.code === 'unknown_address') void queryClient.invalidateQueries({ queryKey: keys.profile });
  });
}

interface OutcomeProps {
  readonly placing: Placing;
  readonly frozen: FrozenCart;
  readonly total: number | undefined;
  readonly onPay: () => void;
  readonly addressIsMissing: boolean;
}

export function Outcome({ placing, frozen, total, onPay, addressIsMissing }: OutcomeProps) {
  const { error, isPending, isUncertain } = placing;
  if (isUncertain) return <Unsure isAsking={isPending} />;
  if (isPending) return null;
  if (addressIsMissing) return <Told tone="problem">Say where it shall be delivered to first.</Told>;
  const code = error instanceof ApiProblem ? error.code : undefined;
  if (code === 'price_changed' && total !== undefined) return <PriceChanged placing={placing} total={total} onPay={onPay} />;
  if (frozen.changed !== undefined || code === 'cart_changed') return <CartChanged frozen={frozen} wasRefused={code === 'cart_changed'} />;
  if (error === null) return null;
  if (code === 'payment_declined')
    return (
      <Told tone="problem">
        {error.message}
        <button type="button" onClick={focusPayment}>
          Choose another card
        </button>
      </Told>
    );
  if (code === 'order_cancelled')
    return (
      <Told tone="problem">
        {error.message}
        <button type="button" onClick={onPay}>
          Order again
        </button>
      </Told>
    );
  if (code === 'step_up_required') return <Told tone="notice">Nothing was ordered: it was not confirmed that it is you.</Told>;
  return <Told tone="problem">{error instanceof ApiProblem ? error.message : 'Something went wrong on this page. Reload it.'}</Told>;
}

/** The note takes the focus, because the pressed button may be gone and the person must hear the note. */
function Told({ tone, children }: { readonly tone: 'problem' | 'notice'; readonly children: ReactNode }) {
  const note = useRef<HTMLDivElement>(null);
  useEffect(() => note.current?.focus(), []);
  return (
    <div ref={note} className={`note ${tone}`} role="alert" tabIndex={-1}>
      {children}
    </div>
  );
}

function Unsure({ isAsking }: { readonly isAsking: boolean }) {
  return (
    <output className="note notice">
      {isAsking ? (
        'No answer yet. We are finding out whether your order was taken; pressing again is safe.'
      ) : (
        <>
          It is not known yet whether your order was taken. Pressing again is safe: it asks for the same order, which is placed once. What
          was taken is among <Link to="/orders">your orders</Link>.
        </>
      )}
    </output>
  );
}

interface PriceChangedProps {
  readonly placing: Placing;
  readonly total: number;
  readonly onPay: () => void;
}

function PriceChanged({ placing: { asked, dismiss, error }, total, onPay }: PriceChangedProps) {
  const currency = (error instanceof ApiProblem ? error.now.preview?.currency : undefined) ?? 'EUR';
  const agreed = asked?.wish.expectedTotal;
  return (
    <Told tone="notice">
      <p>
        <strong>The total has changed.</strong> {agreed !== undefined && <>It was {formatPrice(agreed, currency)}, </>}
        it is {formatPrice(total, currency)} now. Nothing was charged.
      </p>
      <div className="row">
        <button type="button" className="primary" onClick={onPay}>
          Pay {formatPrice(total, currency)} instead
        </button>
        <button type="button" onClick={dismiss}>
          Not now
        </button>
      </div>
    </Told>
  );
}

/** If no line differs, the same lines may be part of an order that the cart has not heard of yet. */
function CartChanged({ frozen: { changed = [] }, wasRefused }: { readonly frozen: FrozenCart; readonly wasRefused: boolean }) {
  return (
    <Told tone="notice">
      <div>
        <p>
          <strong>Your cart has changed.</strong> {wasRefused && 'Nothing was ordered. '}
          {changed.length > 0
            ? 'This is what would be ordered now:'
            : 'Some of it belongs to an order that is being confirmed, or a coupon went out.'}
        </p>
        {changed.length > 0 ? (
          <ul className="changes">
            {changed.map((change) => (
              <li key={change.lineId}>{changeWords(change)}</li>
            ))}
          </ul>
        ) : (
          <Link to="/orders">Look at your orders</Link>
        )}
      </div>
    </Told>
  );
}
