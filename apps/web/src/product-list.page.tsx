import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { FormEvent } from 'react';
import { Link, useSearchParams } from 'react-router';
import type { Product } from './api.types.ts';
import { textOf } from './form.ts';
import { formatPrice, plural } from './format.ts';
import { Loading, ProblemNote } from './problem-note.tsx';
import { keys, useApi } from './shop.tsx';

/** What is shown is in the address: it can be linked, reloaded and gone back to. */
export function ProductListPage() {
  const api = useApi();
  const [params, setParams] = useSearchParams();
  const query = params.get('query') ?? '';
  const category = params.get('category') ?? '';
  const page = Math.max(1, Number(params.get('page')) || 1);
  const products = useQuery({
    queryKey: [...keys.products, { query, category, page }],
    queryFn: ({ signal }) => api.products({ query, category, page }, signal),
    placeholderData: keepPreviousData,
  });
  const show = (next: { query?: string; category?: string; page?: number }): void => {
    const merged = Object.entries({ query, category, page: 1, ...next }).filter(([, value]) => value !== '' && value !== 1);
    setParams(Object.fromEntries(merged.map(([name, value]) => [name, String(value)])));
  };
  return (
    <>
      <title>Shop · Cloakroom</title>
      <h1>{category || 'The shop'}</h1>
      <Finder key={query} query={query} category={category} onShow={show} />
      <ProblemNote error={products.error} onRetry={() => void products.refetch()} />
      {products.isPending && <Loading what="products" />}
      {products.data && (
        <>
          <output className="quiet">
            {products.data.total === 0 ? `Nothing found${query && ` for “${query}”`}.` : plural(products.data.total, 'product')}
          </output>
          <ul className="grid" aria-label="Products">
            {products.data.items.map((product) => (
              <ProductCard key={product.productId} product={product} />
            ))}
          </ul>
          <Pages page={page} last={Math.ceil(products.data.total / products.data.pageSize)} onPage={(next) => show({ page: next })} />
        </>
      )}
    </>
  );
}

function Finder(props: {
  readonly query: string;
  readonly category: string;
  readonly onShow: (next: { query?: string; category?: string }) => void;
}) {
  const { query, category, onShow } = props;
  const api = useApi();
  const { data: first } = useQuery({
    queryKey: [...keys.products, 'first'],
    queryFn: ({ signal }) => api.firstProducts(signal),
    staleTime: Infinity,
  });
  const categories = [...new Set(first?.items.map((product) => product.category))];
  const search = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    onShow({ query: textOf(new FormData(event.currentTarget), 'query') });
  };
  return (
    <div className="finder">
      <search>
        <form onSubmit={search} className="row">
          <label className="visually-hidden" htmlFor="query">
            Search products
          </label>
          <input id="query" name="query" type="search" placeholder="Search coats, bags, boots…" defaultValue={query} maxLength={100} />
          <button className="primary">Search</button>
          {query && (
            <button type="button" onClick={() => onShow({ query: '' })}>
              Clear search
            </button>
          )}
        </form>
      </search>
      <nav aria-label="Categories" className="chips">
        {['', ...categories].map((name) => (
          <button key={name} type="button" aria-pressed={name === category} onClick={() => onShow({ category: name })}>
            {name || 'All'}
          </button>
        ))}
      </nav>
    </div>
  );
}

function ProductCard({ product }: { readonly product: Product }) {
  return (
    <li className="card">
      <Link to={`/products/${encodeURIComponent(product.productId)}`}>
        <span className="picture">
          <img src={product.image} alt="" width="96" height="96" loading="lazy" />
        </span>
        <span className="card-name">{product.name}</span>
        <span className="quiet">{product.category}</span>
        <span className="price">{formatPrice(product.price, product.currency)}</span>
      </Link>
    </li>
  );
}

function Pages({ page, last, onPage }: { readonly page: number; readonly last: number; readonly onPage: (page: number) => void }) {
  if (last <= 1) return null;
  return (
    <nav aria-label="Pages" className="row pages">
      <button type="button" disabled={page <= 1} onClick={() => onPage(page - 1)}>
        Previous
      </button>
      <span>
        Page {page} of {last}
      </span>
      <button type="button" disabled={page >= last} onClick={() => onPage(page + 1)}>
        Next
      </button>
    </nav>
  );
}
