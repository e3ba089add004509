import { useIsMutating, useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { Link } from 'react-router';
import type { Cart, CartLine } from './api.types.ts';
import { useCart, useClearCart, useRemoveLine, useSetQuantity } from './cart.ts';
import { formatPrice, plural } from './format.ts';
import { Loading, ProblemNote } from './problem-note.tsx';
import { useSession } from './session.tsx';
import { keys, useApi } from './shop.tsx';

export function CartPage() {
  const { session, error, retry } = useSession();
  const cart = useCart();
  return (
    <>
      <title>Cart · Cloakroom</title>
      <h1>Your cart</h1>
      <ProblemNote error={error} onRetry={retry} />
      <ProblemNote error={cart.error} onRetry={() => void cart.refetch()} />
      {cart.isLoading && <Loading what="your cart" />}
      {session?.state === 'none' && <EmptyCart />}
      {cart.data && <CartState cart={cart.data} />}
      {cart.data && (cart.data.lines.length === 0 ? <EmptyCart /> : <CartLines cart={cart.data} />)}
    </>
  );
}

function EmptyCart() {
  return (
    <div className="empty">
      <p>Your cart is empty.</p>
      <Link to="/" className="button primary">
        Browse the shop
      </Link>
    </div>
  );
}

/** How far the cart can be trusted: it is a view that follows a log, and says so when it lags. */
function CartState({ cart }: { readonly cart: Cart }) {
  const merge = cart.merge.state;
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
        {cart.stale && <p className="note notice">Showing an older state. Your latest changes are saved and will appear.</p>}
      </div>
      {cart.incomplete && (
        <p className="note problem" role="alert">
          This cart may be incomplete: one of its changes could not be read yet. Nothing is lost; it will be added when it is repaired.
        </p>
      )}
    </>
  );
}

function CartLines({ cart }: { readonly cart: Cart }) {
  const pictures = usePictures();
  const clear = useClearCart();
  // Clearing removes what was seen; with a change under way the newest "seen" is not known yet.
  const changing = useIsMutating({ mutationKey: keys.cart }) > 0;
  const count = cart.lines.reduce((sum, line) => sum + line.quantity, 0);
  return (
    <>
      <ul className="lines" aria-label="Cart lines">
        {cart.lines.map((line) => (
          <Line key={line.lineId} line={line} picture={pictures.get(line.productId)} />
        ))}
      </ul>
      <div className="total">
        <p>
          Subtotal, {plural(count, 'item')}: <strong data-testid="subtotal">{formatPrice(cart.subtotal, cart.currency)}</strong>
        </p>
        <button type="button" disabled={changing} onClick={() => clear.mutate()}>
          Clear cart
        </button>
      </div>
      <ProblemNote error={clear.error} onRetry={() => clear.mutate()} />
    </>
  );
}

function usePictures(): ReadonlyMap<string, string> {
  const api = useApi();
  const { data } = useQuery({
    queryKey: [...keys.products, 'first'],
    queryFn: ({ signal }) => api.firstProducts(signal),
    staleTime: Infinity,
  });
  return new Map(data?.items.map((product) => [product.productId, product.image]));
}

const quantityMax = 99;

function Line({ line, picture }: { readonly line: CartLine; readonly picture: string | undefined }) {
  const set = useSetQuantity(line.lineId);
  const remove = useRemoveLine(line.lineId);
  const options = Object.entries(line.options);
  const title = [line.name, ...options.map(([, value]) => value)].join(', ');
  return (
    <li className="line" aria-label={title}>
      <span className="picture small">{picture && <img src={picture} alt="" width="48" height="48" />}</span>
      <div className="line-name">
        <Link to={`/products/${encodeURIComponent(line.productId)}`}>{line.name}</Link>
        <span className="quiet">{options.map(([name, value]) => `${name}: ${value}`).join(' · ')}</span>
        <span className="quiet">
          {line.available ? `${formatPrice(line.unitPrice, line.currency)} each` : 'Not counted in the subtotal'}
        </span>
      </div>
      <fieldset className="stepper" aria-label={`Quantity of ${title}`}>
        <button type="button" aria-label="One less" disabled={line.quantity <= 1} onClick={() => set.mutate(line.quantity - 1)}>
          −
        </button>
        <output aria-label="Quantity">{line.quantity}</output>
        <button type="button" aria-label="One more" disabled={line.quantity >= quantityMax} onClick={() => set.mutate(line.quantity + 1)}>
          +
        </button>
      </fieldset>
      <span className="price">{formatPrice(line.quantity * line.unitPrice, line.currency)}</span>
      <button type="button" className="plain" aria-label={`Remove ${title}`} disabled={remove.isPending} onClick={() => remove.mutate()}>
        Remove
      </button>
      <ProblemNote error={set.error ?? remove.error} />
    </li>
  );
}
