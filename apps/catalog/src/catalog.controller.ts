import { Controller, Inject } from '@nestjs/common';
import {
  CatalogService,
  type GetProductsRequest,
  type ListProductsRequest,
  type ReleaseStockRequest,
  type ReserveStockRequest,
  type SuggestRequest,
} from '@cloakroom/contracts';
import { processToken, type RequestContext, Rpc, type Rpcs, type ServiceProcess } from '@cloakroom/mesh';
import type { Kysely } from 'kysely';
import { getProducts } from './get-products.ts';
import { databaseToken, productCacheToken, shareToken } from './injection.ts';
import type { CatalogSchema } from './products.ts';
import { listProducts } from './search/list-products.ts';
import type { ProductCache } from './search/product-cache.ts';
import { suggest } from './search/suggest.ts';
import { releaseStock } from './stock/release-stock.ts';
import { reserveFromShare } from './stock/reserve-from-share.ts';
import { reserveStock } from './stock/reserve-stock.ts';
import type { StockShare } from './stock/stock-share.ts';

/** The table of contents of the catalog: one line per rpc. */
@Controller()
export class CatalogController implements Rpcs<typeof CatalogService> {
  constructor(
    @Inject(databaseToken) private readonly database: Kysely<CatalogSchema>,
    @Inject(productCacheToken) private readonly cache: ProductCache,
    @Inject(processToken) private readonly process: ServiceProcess,
    @Inject(shareToken) private readonly share: StockShare | null,
  ) {}

  @Rpc(CatalogService.method.listProducts)
  listProducts(_ctx: RequestContext, request: ListProductsRequest) {
    return listProducts(this.cache, request);
  }

  @Rpc(CatalogService.method.suggest)
  suggest(_ctx: RequestContext, request: SuggestRequest) {
    return suggest(this.cache, request);
  }

  @Rpc(CatalogService.method.getProducts)
  getProducts(_ctx: RequestContext, request: GetProductsRequest) {
    return getProducts(this.database, request, this.share);
  }

  @Rpc(CatalogService.method.reserveStock)
  reserveStock(ctx: RequestContext, request: ReserveStockRequest) {
    const nowMs = this.process.clock.nowMs();
    if (this.share === null) return reserveStock(this.database, request, nowMs);
    return reserveFromShare({ db: this.database, share: this.share, nowMs }, request, () => ctx.deadline.remainingMs());
  }

  @Rpc(CatalogService.method.releaseStock)
  releaseStock(_ctx: RequestContext, request: ReleaseStockRequest) {
    return releaseStock(this.database, request, this.process.clock.nowMs());
  }
}
