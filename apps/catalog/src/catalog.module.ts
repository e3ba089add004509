/** All wiring of the catalog. */
import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { type Parts } from '@cloakroom/event-log';
import { openDatabase } from '@cloakroom/platform';
import type { Kysely } from 'kysely';
import { CatalogController } from './catalog.controller.ts';
import type { CatalogConfig } from './config.ts';
import { configToken, databaseToken, partsToken, shelfToken } from './injection.ts';
import { seedProducts } from './seed/products.seed.ts';
import { allProducts, type CatalogSchema, migrations, seed, stocksNow } from './products.ts';
import { openShelf } from './search/product-cache.ts';

const shelf: Provider[] = [
  {
    provide: databaseToken,
    inject: [configToken, partsToken],
    useFactory: async (config: CatalogConfig, { log }: Parts) => {
      const database = await openDatabase<CatalogSchema>(config.DATABASE_URL, migrations, {
        name: 'catalog',
        log,
        password: config.DATABASE_PASSWORD,
      });
      await seed(database, seedProducts);
      return database;
    },
  },
  {
    provide: shelfToken,
    inject: [databaseToken, partsToken],
    useFactory: async (database: Kysely<CatalogSchema>, { clock, log }: Parts) => {
      const shelf = openShelf({ all: () => allProducts(database), stocks: () => stocksNow(database) }, { clock, log });
      // Builds the index now, so that the first person need not wait for it.
      await shelf.look();
      return shelf;
    },
  },
];

@Module({})
export class CatalogModule {
  static with(config: CatalogConfig, parts: Parts): DynamicModule {
    const given: Provider[] = [
      { provide: configToken, useValue: config },
      { provide: partsToken, useValue: parts },
    ];
    return { module: CatalogModule, providers: [...given, ...shelf, CatalogController] };
  }
}
