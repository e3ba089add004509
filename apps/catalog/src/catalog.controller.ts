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
import { databaseToken, productCacheToken } from './injection.ts';
import type { CatalogSchema } from './products.ts';
import { listProducts } from './search/list-products.ts';
import type { ProductCache } from './search/product-cache.ts';
import { suggest } from './search/suggest.ts';
import { releaseStock } from './stock/release-stock.ts';
import { reserveStock } from './stock/reserve-stock.ts';

/** The table of contents of the catalog: one line per rpc. */
@Controller()
export class CatalogController implements Rpcs<typeof CatalogService> {
  constructor(
    @Inject(databaseToken) private readonly database: Kysely<CatalogSchema>,
    @Inject(productCacheToken) private readonly cache: ProductCache,
    @Inject(processToken) private readonly process: ServiceProcess,
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
    return getProducts(this.database, request);
  }

  @Rpc(CatalogService.method.reserveStock)
  reserveStock(_ctx: RequestContext, request: ReserveStockRequest) {
    return reserveStock(this.database, request, this.process.clock.nowMs());
  }

  @Rpc(CatalogService.method.releaseStock)
  releaseStock(_ctx: RequestContext, request: ReleaseStockRequest) {
    return releaseStock(this.database, request, this.process.clock.nowMs());
  }
}
