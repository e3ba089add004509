import type { CachedProduct, CatalogProduct } from '../products.ts';
import type { StockShare } from './stock-share.ts';

type Seen = Pick<StockShare, 'elsewhere' | 'cutSinceMs'>;

/** The product as this region can sell it: from its share, and from the decider's stock while the decider answers. */
export const withElsewhere = (product: CatalogProduct, share: Seen): CatalogProduct => ({
  ...product,
  stock: product.stock + share.elsewhere(product.productId),
  stockHeardAtMs: BigInt(share.cutSinceMs ?? 0),
});

export const allWithElsewhere = (items: readonly CachedProduct[], share: Seen): CachedProduct[] =>
  items.map((item) => ({ ...item, product: withElsewhere(item.product, share) }));

export const stocksWithElsewhere = (stocks: ReadonlyMap<string, number>, share: Seen): Map<string, number> =>
  new Map([...stocks].map(([productId, stock]) => [productId, stock + share.elsewhere(productId)]));
