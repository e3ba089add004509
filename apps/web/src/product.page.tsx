import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState, type FormEvent } from 'react';
import { Link, useParams } from 'react-router';
import type { Product } from './api.types.ts';
import { useAddLine } from './cart.ts';
import { textOf } from './form.ts';
import { formatPrice } from './format.ts';
import { Loading, ProblemNote } from './problem-note.tsx';
import { identityOf } from './session-notice.ts';
import { useSession } from './session.tsx';
import { keys, useApi } from './shop.tsx';

export function ProductPage() {
  const api = useApi();
  const { productId = '' } = useParams();
  const product = useQuery({ queryKey: [...keys.products, productId], queryFn: ({ signal }) => api.product(productId, signal) });
  useRecordView(product.data?.productId);
  return (
    <>
      <title>{`${product.data?.name ?? 'Product'} · Cloakroom`}</title>
      <p>
        <Link to="/">← All products</Link>
      </p>
      {product.isPending && <Loading what="the product" />}
      <ProblemNote error={product.error} onRetry={() => void product.refetch()} />
      {product.data && <ProductDetails key={product.data.productId} product={product.data} />}
    </>
  );
}

/** Looking never creates a session; with one, it is remembered. Losing one such note is no problem worth showing. */
function useRecordView(productId: string | undefined): void {
  const api = useApi();
  const { session } = useSession();
  const identity = session && identityOf(session);
  useEffect(() => {
    if (productId === undefined || identity === undefined || identity === 'none') return;
    api.recordView(productId).catch(() => undefined);
  }, [api, productId, identity]);
}

function ProductDetails({ product }: { readonly product: Product }) {
  return (
    <article className="product">
      <div className="picture large">
        <img src={product.image} alt="" width="240" height="240" />
      </div>
      <div className="stack">
        <p className="quiet">{product.category}</p>
        <h1>{product.name}</h1>
        <p className="price large">{formatPrice(product.price, product.currency)}</p>
        <p>{product.description}</p>
        <p className={product.stock > 0 ? 'quiet' : 'problem-text'}>{stockText(product.stock)}</p>
        <AddToCart product={product} />
      </div>
    </article>
  );
}

const fewLeft = 10;
function stockText(stock: number): string {
  if (stock === 0) return 'Sold out';
  return stock < fewLeft ? `Only ${stock} left` : 'In stock';
}

/** What the cart takes of one line. */
const quantityMax = 99;

function AddToCart({ product }: { readonly product: Product }) {
  const add = useAddLine();
  const [added, setAdded] = useState<string>();
  const underWay = useRef(false);
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    // A double click is one wish, and comes before the page has drawn that the first click is under way.
    if (underWay.current) return;
    underWay.current = true;
    const form = new FormData(event.currentTarget);
    const quantity = Number(form.get('quantity'));
    const options = Object.fromEntries(product.options.map(({ name }) => [name, textOf(form, `option-${name}`)]));
    setAdded(undefined);
    add.mutate(
      { productId: product.productId, options, quantity },
      {
        onSuccess: () => setAdded(`Added to your cart: ${quantity} × ${[product.name, ...Object.values(options)].join(', ')}.`),
        onSettled: () => (underWay.current = false),
      },
    );
  };
  return (
    <form onSubmit={submit} className="stack">
      {product.options.map((option) => (
        <fieldset key={option.name} className="choices">
          <legend>{option.name}</legend>
          {option.values.map((value, index) => (
            <label key={value}>
              <input type="radio" name={`option-${option.name}`} value={value} required defaultChecked={index === 0} />
              <span>{value}</span>
            </label>
          ))}
        </fieldset>
      ))}
      <div className="row end">
        <label className="field narrow">
          Quantity
          <input name="quantity" type="number" min="1" max={quantityMax} step="1" defaultValue="1" required inputMode="numeric" />
        </label>
        <button className="primary" disabled={product.stock === 0} aria-busy={add.isPending}>
          {add.isPending ? 'Adding…' : 'Add to cart'}
        </button>
      </div>
      <output className="added">
        {added} {added && <Link to="/cart">View cart</Link>}
      </output>
      <ProblemNote error={add.error} />
    </form>
  );
}
