import type { ProductPage } from '@cloakroom/contracts/http';
import { useEffect, useRef, useState } from 'react';
import { Link, useLocation, useParams, useSearchParams } from 'react-router';
import { plural } from '../format.ts';
import { Filters } from './filters.tsx';
import { NotFoundPage } from '../components/not-found.page.tsx';
import { ProblemNote } from '../components/problem-note.tsx';
import { CardSkeletons, categoryPath, ProductCard } from '../products/product-card.tsx';
import {
  choiceCount,
  everyProduct,
  fromAddress,
  impossiblePrices,
  sorts,
  toAddress,
  type ProductQuery,
  type Sort,
} from '../api/product-query.ts';
import { useCategories, useProductPage } from '../products/products.ts';

/** One page for a category, a search, or all products. The address says which. */
export default function ProductListPage() {
  const { pathname } = useLocation();
  const { category = '' } = useParams();
  const [params, setParams] = useSearchParams();
  const [shown, setShown] = useShown(params, category);
  const products = useProductPage(shown);
  const page = products.data;
  const { data: categories } = useCategories();
  // A new choice starts at the first page again.
  const change = (next: Partial<ProductQuery>): void => {
    const wanted = { ...shown, page: 1, ...next };
    setShown(wanted);
    setParams(toAddress(wanted));
  };
  const title = titleOf(pathname, shown);
  if (category !== '' && categories?.every(({ value }) => value !== category)) return <NotFoundPage what="category" />;
  const last = page ? Math.max(1, Math.ceil(page.total / page.pageSize)) : undefined;
  return (
    <>
      <title>{`${title} · Cloakroom`}</title>
      <Crumbs here={category !== '' ? category : pathname === '/search' ? 'Search' : ''} />
      <h1 className="list-title">{title}</h1>
      <div className="list-columns">
        <Filters shown={shown} facets={page?.facets} onChange={change} />
        <div className="results" aria-busy={products.isPlaceholderData || products.isPending}>
          <div className="list-bar">
            <output className="quiet">{page ? plural(page.total, 'product') : products.isPending && 'Loading products…'}</output>
            <SortChoice shown={shown} onSort={(sort) => change({ sort })} />
          </div>
          <ProblemNote error={products.error} onRetry={() => void products.refetch()} />
          <Results
            page={page}
            waits={products.isPending}
            shown={shown}
            onReset={() => setParams(toAddress({ ...everyProduct, query: shown.query }))}
            onSwap={() => change({ priceMin: shown.priceMax, priceMax: shown.priceMin })}
          />
          {last !== undefined && <Pages shown={shown} last={last} />}
        </div>
      </div>
    </>
  );
}

/** The address decides what is shown. The router changes it a moment after a choice, so the choice counts at once. Else a box would spring back. */
function useShown(params: URLSearchParams, category: string): [ProductQuery, (wanted: ProductQuery) => void] {
  const address = `${category}?${params.toString()}`;
  const [wanted, setWanted] = useState({ address, shown: fromAddress(params, category) });
  let { shown } = wanted;
  if (wanted.address !== address) {
    shown = fromAddress(params, category);
    setWanted({ address, shown });
  }
  return [shown, (next) => setWanted({ address, shown: next })];
}

function titleOf(pathname: string, { query, category }: ProductQuery): string {
  if (category !== '') return category;
  if (pathname === '/search') return query === '' ? 'Search' : `Results for “${query}”`;
  return 'Everything';
}

function Crumbs({ here }: { readonly here: string }) {
  return (
    <nav aria-label="Breadcrumbs" className="crumbs">
      <Link to="/">Home</Link>
      {here === '' ? <span aria-current="page">Products</span> : <Link to="/products">Products</Link>}
      {here !== '' && <span aria-current="page">{here}</span>}
    </nav>
  );
}

const sortNames: Readonly<Record<Sort, string>> = {
  relevance: 'Best match',
  newest: 'Newest',
  price: 'Price, low to high',
  '-price': 'Price, high to low',
  name: 'Name',
};

function SortChoice({ shown, onSort }: { readonly shown: ProductQuery; readonly onSort: (sort: Sort) => void }) {
  return (
    <label className="sort">
      <span>Sort by</span>
      <select value={shown.sort} onChange={(event) => onSort(sorts.find((sort) => sort === event.target.value) ?? everyProduct.sort)}>
        {sorts.map((sort) => (
          <option key={sort} value={sort}>
            {sort === 'relevance' && shown.query === '' ? 'Our selection' : sortNames[sort]}
          </option>
        ))}
      </select>
    </label>
  );
}

interface ResultsProps {
  readonly page: ProductPage | undefined;
  readonly waits: boolean;
  readonly shown: ProductQuery;
  readonly onReset: () => void;
  /** Swaps two prices if the lower bound is above the upper one. */
  readonly onSwap: () => void;
}

const skeletonCount = 8;
/** The number of products in the first row of a wide screen. */
const eagerCount = 4;

function Results({ page, waits, shown, onReset, onSwap }: ResultsProps) {
  const list = useRef<HTMLUListElement>(null);
  const pageShown = useRef(shown.page);
  // After a change of page, the person reads on where the new page begins.
  useEffect(() => {
    if (pageShown.current === shown.page) return;
    pageShown.current = shown.page;
    list.current?.scrollIntoView({ block: 'start' });
    list.current?.focus({ preventScroll: true });
  }, [shown.page]);
  if (page?.items.length === 0 && page.total > 0) return <NoSuchPage shown={shown} last={Math.ceil(page.total / page.pageSize)} />;
  if (page?.items.length === 0) return <NothingFound shown={shown} onReset={onReset} onSwap={onSwap} />;
  return (
    <ul ref={list} tabIndex={-1} className="grid results-grid" aria-label="Products">
      {page?.items.map((product, index) => (
        <ProductCard key={product.productId} product={product} eager={index < eagerCount} />
      ))}
      {waits && <CardSkeletons count={skeletonCount} />}
    </ul>
  );
}

/** Shown when a person typed the page number, or when the list has become shorter. */
function NoSuchPage({ shown, last }: { readonly shown: ProductQuery; readonly last: number }) {
  return (
    <div className="empty">
      <img src="/empty-hanger.svg" alt="" width="160" height="120" />
      <p>
        There is no page {shown.page}: this list has {plural(last, 'page')}.
      </p>
      <Link to={{ search: toAddress({ ...shown, page: last }).toString() }} className="button primary">
        To the last page
      </Link>
    </div>
  );
}

type NothingFoundProps = Pick<ResultsProps, 'shown' | 'onReset' | 'onSwap'>;

function NothingFound({ shown, onReset, onSwap }: NothingFoundProps) {
  const { data: categories = [] } = useCategories();
  const impossible = impossiblePrices(shown);
  if (impossible !== undefined)
    return (
      <div className="empty">
        <img src="/empty-hanger.svg" alt="" width="160" height="120" />
        <p>{impossible}</p>
        <button type="button" className="primary" onClick={onSwap}>
          Swap the two prices
        </button>
      </div>
    );
  return (
    <div className="empty">
      <img src="/empty-hanger.svg" alt="" width="160" height="120" />
      <p>{shown.query === '' ? 'Nothing found.' : `Nothing found for “${shown.query}”.`}</p>
      {choiceCount(shown) > 0 ? (
        <button type="button" className="primary" onClick={onReset}>
          Clear the filters
        </button>
      ) : (
        <>
          <p className="quiet">Try fewer or other words, or look around:</p>
          <ul className="chips">
            {categories.map(({ value }) => (
              <li key={value}>
                <Link to={categoryPath(value)} className="chip">
                  {value}
                </Link>
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

function Pages({ shown, last }: { readonly shown: ProductQuery; readonly last: number }) {
  if (last <= 1 || shown.page > last) return null;
  const to = (page: number) => ({ search: toAddress({ ...shown, page }).toString() });
  return (
    <nav aria-label="Pages" className="pages">
      {shown.page > 1 && (
        <Link to={to(shown.page - 1)} className="button" rel="prev">
          Previous
        </Link>
      )}
      <span>
        Page {shown.page} of {last}
      </span>
      {shown.page < last && (
        <Link to={to(shown.page + 1)} className="button" rel="next">
          Next
        </Link>
      )}
    </nav>
  );
}
