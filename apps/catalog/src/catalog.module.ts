/** The parts of catalog, and `start`, which serves them. */
import { randomBytes } from 'node:crypto';
import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { CatalogService, StockSharesService, uuidV7 } from '@cloakroom/contracts';
import type { Parts } from '@cloakroom/event-log';
import { IdentityModule } from '@cloakroom/identity';
import {
  connectMesh,
  type MeshTls,
  processToken,
  readinessToken,
  type ServiceProcess,
  serveService,
  tlsToken,
  withLifecycle,
} from '@cloakroom/mesh';
import { type Readiness, type Running, startTrace } from '@cloakroom/platform';
import { openDatabase } from '@cloakroom/platform/database';
import type { Kysely } from 'kysely';
import { CatalogController } from './catalog.controller.ts';
import type { CatalogConfig } from './config.ts';
import { configToken, databaseToken, productCacheToken, shareToken } from './injection.ts';
import { allProducts, type CatalogSchema, expansions, migrations, seed, stocksNow } from './products.ts';
import { openProductCache } from './search/product-cache.ts';
import { seedProducts } from './seed/products.seed.ts';
import { SharesController } from './stock/shares.controller.ts';
import { allWithElsewhere, stocksWithElsewhere } from './stock/shown-stock.ts';
import { StockShare } from './stock/stock-share.ts';

export { readConfig, type CatalogConfig } from './config.ts';

type Database = Kysely<CatalogSchema>;

const database: Provider = {
  provide: databaseToken,
  inject: [configToken, processToken],
  useFactory: async (config: CatalogConfig, { log }: ServiceProcess): Promise<Database> => {
    const options = { name: 'catalog', log, password: config.DATABASE_PASSWORD, expansions };
    const opened = await openDatabase<CatalogSchema>(config.DATABASE_URL, migrations, options);
    await seed(opened, seedProducts, config.STOCK_DECIDER === undefined);
    return withLifecycle(opened, () => ({ onApplicationShutdown: () => opened.destroy() }));
  },
};

/** Null where this catalog decides about the stock. */
const share: Provider = {
  provide: shareToken,
  inject: [databaseToken, configToken, tlsToken, processToken],
  useFactory: async (db: Database, { STOCK_DECIDER: decider }: CatalogConfig, tls: MeshTls | undefined, process: ServiceProcess) => {
    if (decider === undefined) return null;
    const { clock, log } = process;
    const { client, close } = connectMesh(StockSharesService, { address: decider.address, tls, log });
    const opened = await StockShare.open({
      db,
      clock,
      log,
      transferStock: (call, request) => client.transferStock(call, request),
      newId: () => uuidV7(clock.nowMs(), randomBytes(10)),
      newTrace: () => startTrace(randomBytes),
    });
    const stop = async (): Promise<void> => {
      await opened.stop();
      close();
    };
    return withLifecycle(opened, () => ({ onApplicationBootstrap: () => opened.start(), onApplicationShutdown: stop }));
  },
};

const productCache: Provider = {
  provide: productCacheToken,
  inject: [databaseToken, shareToken, processToken],
  useFactory: async (db: Database, shared: StockShare | null, { clock, log }: ServiceProcess) => {
    const source =
      shared === null
        ? { all: () => allProducts(db), stocks: () => stocksNow(db) }
        : {
            all: async () => allWithElsewhere(await allProducts(db), shared),
            stocks: async () => stocksWithElsewhere(await stocksNow(db), shared),
          };
    const opened = openProductCache(source, { clock, log });
    // Builds the index now, so that the first person need not wait for it.
    await opened.look();
    return opened;
  },
};

/** Readiness ignores auth: browsing needs no identity. */
const readiness: Provider = {
  provide: readinessToken,
  inject: [databaseToken, configToken],
  useFactory: (db: Database, config: CatalogConfig) => async (): Promise<Readiness> => {
    const { products } = await db
      .selectFrom('products')
      .select((row) => row.fn.countAll<number | bigint | string>().as('products'))
      .executeTakeFirstOrThrow();
    return { database: { ok: Number(products) > 0, products: Number(products) }, provider: { ok: true, name: config.PROVIDER } };
  },
};

@Module({})
export class CatalogModule {
  static with(config: CatalogConfig, parts: Parts): DynamicModule {
    return {
      module: CatalogModule,
      imports: [IdentityModule.withoutRevocations('catalog', config, parts)],
      controllers: [CatalogController, SharesController],
      providers: [{ provide: configToken, useValue: config }, database, share, productCache, readiness],
      exports: [IdentityModule, readinessToken],
    };
  }
}

export const services = [CatalogService, StockSharesService];

export const start = (config: CatalogConfig, parts: Parts): Promise<Running> =>
  serveService({ module: CatalogModule.with(config, parts), services, log: parts.log });
