import { Inject, Injectable } from '@nestjs/common';
import type { CatalogService } from '@cloakroom/contracts';
import type { Parts } from '@cloakroom/event-log';
import type { Handlers } from '@cloakroom/mesh';
import type { Kysely } from 'kysely';
import { getProducts } from './get-products.ts';
import { databaseToken, partsToken, shelfToken } from './injection.ts';
import { listProducts } from './search/list-products.ts';
import type { CatalogSchema } from './products.ts';
import { releaseStock } from './stock/release-stock.ts';
import { reserveStock } from './stock/reserve-stock.ts';
import type { Shelf } from './search/product-cache.ts';
import { suggest } from './search/suggest.ts';

/** The table of contents of the catalog: one line per rpc. */
@Injectable()
export class CatalogController {
  readonly handlers: Handlers<typeof CatalogService>;

  constructor(
    @Inject(databaseToken) database: Kysely<CatalogSchema>,
    @Inject(shelfToken) shelf: Shelf,
    @Inject(partsToken) { clock }: Parts,
  ) {
    this.handlers = {
      listProducts: (_ctx, request) => listProducts(shelf, request),
      suggest: (_ctx, request) => suggest(shelf, request),
      getProducts: (_ctx, request) => getProducts(database, request),
      reserveStock: (_ctx, request) => reserveStock(database, request, clock.nowMs()),
      releaseStock: (_ctx, request) => releaseStock(database, request, clock.nowMs()),
    };
  }
}
