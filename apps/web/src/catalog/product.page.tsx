import type { Product } from '@cloakroom/contracts/http';
import { useEffect, useState } from 'react';
import { Link, useParams } from 'react-router';
import { AddToCart } from './add-to-cart.tsx';
import { formatPrice } from '../format.ts';
import { NotFoundPage } from '../components/not-found.page.tsx';
import { ProblemNote } from '../components/problem-note.tsx';
import { categoryPath, ProductPicture, Stock } from '../products/product-card.tsx';
import { StockHeard } from '../products/stock-heard.tsx';
import { useProduct } from '../products/products.ts';
import { ApiProblem } from '../api/request.ts';
import { identityOf } from '../session/session-notice.ts';
import { useSession } from '../session/session.tsx';
import { isColourOption } from '../products/swatch.tsx';
import { Shelf } from '../products/product-row.tsx';
import { useApi } from '../api/shop.tsx';

export default function ProductPage() {
  const { productId = '' } = useParams();
  const { data: product, error, isPending, refetch } = useProduct(productId);
  useRecordView(product?.productId);
  if (error instanceof ApiProblem && error.status === 404) return <NotFoundPage what="product" />;
  return (
    <>
      <title>{`${product?.name ?? 'Product'} · Cloakroom`}</title>
      <nav aria-label="Breadcrumbs" className="crumbs">
        <Link to="/">Home</Link>
        {product ? <Link to={categoryPath(product.category)}>{product.category}</Link> : <span className="bone" />}
        {product && <span aria-current="page">{product.name}</span>}
      </nav>
      <ProblemNote error={error} onRetry={() => void refetch()} />
      {isPending && <ProductSkeleton />}
      {product && <ProductDetails key={product.productId} product={product} />}
      {product && (
        <Shelf
          title={`More ${product.category.toLowerCase()}`}
          shows={{ category: product.category }}
          except={product.productId}
          more={{ to: categoryPath(product.category), label: `All ${product.category.toLowerCase()}` }}
        />
      )}
    </>
  );
}

/** Remembers that the person looked at the product, if there is a session. It never creates one. A failure is not worth showing. */
function useRecordView(productId: string | undefined): void {
  const api = useApi();
  const { session } = useSession();
  const identity = session && identityOf(session);
  useEffect(() => {
    if (productId === undefined || identity === undefined || identity === 'none') return;
    api.recordView(productId).catch(() => undefined);
  }, [api, productId, identity]);
}

function ProductSkeleton() {
  return (
    <div className="product skeleton">
      <output className="visually-hidden">Loading the product…</output>
      <span className="picture large" />
      <div className="stack" aria-hidden="true">
        <span className="bone wide" />
        <span className="bone" />
        <span className="bone row" />
        <span className="bone row" />
      </div>
    </div>
  );
}

function ProductDetails({ product }: { readonly product: Product }) {
  const [colour, setColour] = useState(product.options.find(({ name }) => isColourOption(name))?.values[0]);
  return (
    <article className="product">
      <ProductPicture product={product} size="large" eager colour={colour} />
      <div className="product-text">
        <h1>{product.name}</h1>
        <p className="price large">{formatPrice(product.price, product.currency)}</p>
        <p className="lead">{product.description}</p>
        <p>
          <Stock stock={product.stock} />
        </p>
        <StockHeard heardAt={product.stockHeardAt} />
        <AddToCart product={product} onColour={setColour} />
        <ul className="assurances">
          <li>A reference shop: nothing is charged, and nothing is sent</li>
          <li>Your cart is on every device that you sign in on</li>
        </ul>
      </div>
    </article>
  );
}
