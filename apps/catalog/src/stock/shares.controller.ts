import { randomBytes } from 'node:crypto';
import { Controller, Inject } from '@nestjs/common';
import { StockSharesService, type TransferStockRequest, uuidV7 } from '@cloakroom/contracts';
import { processToken, type RequestContext, Rpc, type Rpcs, type ServiceProcess } from '@cloakroom/mesh';
import type { Kysely } from 'kysely';
import { databaseToken } from '../injection.ts';
import type { CatalogSchema } from '../products.ts';
import { transferStock } from './transfer-stock.ts';

/** For the catalog of another region. */
@Controller()
export class SharesController implements Rpcs<typeof StockSharesService> {
  constructor(
    @Inject(databaseToken) private readonly database: Kysely<CatalogSchema>,
    @Inject(processToken) private readonly process: ServiceProcess,
  ) {}

  @Rpc(StockSharesService.method.transferStock)
  transferStock(_ctx: RequestContext, request: TransferStockRequest) {
    const nowMs = this.process.clock.nowMs();
    return transferStock(this.database, request, { nowMs, newId: () => uuidV7(nowMs, randomBytes(10)) });
  }
}
