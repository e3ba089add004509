/** Reads the catalog: lists, single products by id, and the categories. */
import type { FacetCount, Product, ProductPage } from '@cloakroom/contracts/http';
import { keepPreviousData, useQueries, useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query';
import { everyProduct, type ProductQuery } from '../api/product-query.ts';
import { keys, useApi } from '../api/shop.tsx';

/** A product hardly changes, except for its price and stock. */
const catalogStaleMs = 5 * 60_000;
/** The gateway's largest page. The page counts its products if the catalog gives no counts. */
const pageSizeMax = 100;

export function useProductPage(shown: ProductQuery, staleTime = 0) {
  const api = useApi();
  return useQuery({
    queryKey: [...keys.products, 'page', shown],
    queryFn: ({ signal }) => api.products(shown, signal),
    placeholderData: keepPreviousData,
    staleTime,
  });
}

/** A row of products for the home page or below a product. */
export function useShelf(shelf: Partial<ProductQuery>) {
  return useProductPage({ ...everyProduct, pageSize: 8, ...shelf }, catalogStaleMs);
}

/** Asks for price and stock again. Until the answer comes, the page shows the product from a list that it has read. */
export function useProduct(productId: string) {
  const api = useApi();
  const queryClient = useQueryClient();
  return useQuery({
    queryKey: [...keys.products, 'one', productId],
    queryFn: ({ signal }) => api.product(productId, signal),
    placeholderData: () => knownProduct(queryClient, productId),
  });
}

/** Names and pictures for ids. A product that is gone is left out. */
export function useProductsById(productIds: readonly string[]): ReadonlyMap<string, Product> {
  const api = useApi();
  const queryClient = useQueryClient();
  return useQueries({
    queries: [...new Set(productIds)].map((productId) => ({
      queryKey: [...keys.products, 'one', productId],
      queryFn: ({ signal }: { signal: AbortSignal }) => api.product(productId, signal),
      placeholderData: () => knownProduct(queryClient, productId),
      staleTime: catalogStaleMs,
    })),
    combine: (results) => new Map(results.flatMap(({ data }) => (data ? [[data.productId, data] as const] : []))),
  });
}

function knownProduct(queryClient: QueryClient, productId: string): Product | undefined {
  for (const [, page] of queryClient.getQueriesData<ProductPage>({ queryKey: [...keys.products, 'page'] })) {
    const found = page?.items.find((product) => product.productId === productId);
    if (found) return found;
  }
  return undefined;
}

/** All categories, each with its number of products. */
export function useCategories() {
  const api = useApi();
  return useQuery({
    queryKey: [...keys.products, 'categories'],
    queryFn: async ({ signal }): Promise<readonly FacetCount[]> => {
      const counted = await api.products({ ...everyProduct, pageSize: 1 }, signal);
      return counted.facets?.categories ?? countCategories((await api.products({ ...everyProduct, pageSize: pageSizeMax }, signal)).items);
    },
    staleTime: catalogStaleMs,
  });
}

/** The first product on the shelf of each category stands for it. */
export function useCategoryPictures(categories: readonly string[]): ReadonlyMap<string, Product> {
  const api = useApi();
  return useQueries({
    queries: categories.map((category) => {
      const shown = { ...everyProduct, category, pageSize: 8 };
      return {
        // A shelf uses the same key, so the page asks once for a category that also has a shelf.
        queryKey: [...keys.products, 'page', shown],
        queryFn: ({ signal }: { signal: AbortSignal }) => api.products(shown, signal),
        staleTime: catalogStaleMs,
      };
    }),
    combine: (results) =>
      new Map(results.flatMap(({ data }) => (data?.items[0] ? [[data.items[0].category, data.items[0]] as const] : []))),
  });
}

/** For a catalog that gives no facets. */
export function countCategories(products: readonly Product[]): FacetCount[] {
  const counts = new Map<string, number>();
  for (const { category } of products) counts.set(category, (counts.get(category) ?? 0) + 1);
  return [...counts].map(([value, count]) => ({ value, count }));
}

/** A stable tint for things without a colour, from the FNV-1a hash of the name. @returns 0 to 7, the number of a tint token */
export function tintOf(name: string): number {
  let hash = 0x811c9dc5;
  for (const char of name) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return (hash >>> 8) % 8;
}
