import { useId } from 'react';
import { Link } from 'react-router';
import type { ProductQuery } from '../api/product-query.ts';
import { CardSkeletons, ProductCard } from './product-card.tsx';
import { useShelf } from './products.ts';

interface ShelfProps {
  readonly title: string;
  readonly shows: Partial<ProductQuery>;
  readonly more: { readonly to: string; readonly label: string };
  /** The id of a product that the row leaves out, because the row stands on that product's page. */
  readonly except?: string;
  readonly eager?: boolean;
}

const cardCount = 4;

/** One row of products. A shelf without products says nothing and takes no room. */
export function Shelf({ title, shows, more, except, eager = false }: ShelfProps) {
  const titleId = useId();
  const { data, isError } = useShelf(shows);
  const items = data?.items.filter(({ productId }) => productId !== except).slice(0, cardCount);
  if (isError || items?.length === 0) return null;
  return (
    <section className="shelf" aria-labelledby={titleId} aria-busy={items === undefined}>
      <div className="shelf-head">
        <h2 id={titleId}>{title}</h2>
        <Link to={more.to}>{more.label}</Link>
      </div>
      <ul className="grid" aria-labelledby={titleId}>
        {items ? (
          items.map((product) => <ProductCard key={product.productId} product={product} eager={eager} />)
        ) : (
          <CardSkeletons count={cardCount} />
        )}
      </ul>
    </section>
  );
}
