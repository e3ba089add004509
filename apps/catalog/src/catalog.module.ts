/** The parts of catalog, and `start`, which serves them. */
import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { CatalogService } from '@cloakroom/contracts';
import type { Parts } from '@cloakroom/event-log';
import { IdentityModule } from '@cloakroom/identity';
import { processToken, readinessToken, type ServiceProcess, serveService, withLifecycle } from '@cloakroom/mesh';
import type { Readiness, Running } from '@cloakroom/platform';
import { openDatabase } from '@cloakroom/platform/database';
import type { Kysely } from 'kysely';
import { CatalogController } from './catalog.controller.ts';
import type { CatalogConfig } from './config.ts';
import { configToken, databaseToken, productCacheToken } from './injection.ts';
import { allProducts, type CatalogSchema, migrations, seed, stocksNow } from './products.ts';
import { openProductCache } from './search/product-cache.ts';
import { seedProducts } from './seed/products.seed.ts';

export { readConfig, type CatalogConfig } from './config.ts';

type Database = Kysely<CatalogSchema>;

const database: Provider = {
  provide: databaseToken,
  inject: [configToken, processToken],
  useFactory: async (config: CatalogConfig, { log }: ServiceProcess): Promise<Database> => {
    const options = { name: 'catalog', log, password: config.DATABASE_PASSWORD };
    const opened = await openDatabase<CatalogSchema>(config.DATABASE_URL, migrations, options);
    await seed(opened, seedProducts);
    return withLifecycle(opened, () => ({ onApplicationShutdown: () => opened.destroy() }));
  },
};

const productCache: Provider = {
  provide: productCacheToken,
  inject: [databaseToken, processToken],
  useFactory: async (db: Database, { clock, log }: ServiceProcess) => {
    const opened = openProductCache({ all: () => allProducts(db), stocks: () => stocksNow(db) }, { clock, log });
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
      controllers: [CatalogController],
      providers: [{ provide: configToken, useValue: config }, database, productCache, readiness],
      exports: [IdentityModule, readinessToken],
    };
  }
}

export const start = (config: CatalogConfig, parts: Parts): Promise<Running> =>
  serveService({ module: CatalogModule.with(config, parts), services: [CatalogService], log: parts.log });
