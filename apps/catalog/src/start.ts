/** Opens the parts of the catalog, serves, and closes them again. */
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { AuthService, CatalogService } from '@cloakroom/contracts';
import { type Parts } from '@cloakroom/event-log';
import { createPassportVerifier, openAdmission, jwksFrom, openKeyRing } from '@cloakroom/identity';
import { connectMesh, implement, openTls, serveMesh } from '@cloakroom/mesh';
import { openAdmin, type Readiness, type Running } from '@cloakroom/platform';
import type { Kysely } from 'kysely';
import { CatalogController } from './catalog.controller.ts';
import { CatalogModule } from './catalog.module.ts';
import type { CatalogConfig } from './config.ts';
import { databaseToken } from './injection.ts';
import type { CatalogSchema } from './products.ts';

export { readConfig, type CatalogConfig } from './config.ts';

export async function start(config: CatalogConfig, parts: Parts): Promise<Running> {
  const { log, clock } = parts;
  const container = await NestFactory.createApplicationContext(CatalogModule.with(config, parts), { logger: false, abortOnError: false });
  const database = container.get<Kysely<CatalogSchema>>(databaseToken);
  const tls = config.MESH_TLS === 'mutual' ? await openTls(config.TLS_DIR, 'catalog', { log }) : undefined;
  const auth = connectMesh(AuthService, { address: config.AUTH_ADDRESS, tls, log });
  const keys = openKeyRing({ log, clock, fetchJwks: jwksFrom(auth.client) });
  const mesh = await serveMesh({
    name: 'catalog',
    host: config.HOST,
    port: config.LISTEN_PORT,
    tls,
    services: [implement(CatalogService, container.get(CatalogController).handlers)],
    // No method here depends on the caller, so no revocation could change an answer. A passport is only checked for forgery.
    admission: openAdmission(createPassportVerifier({ audience: 'catalog', keys, clock }), clock),
    clock,
    log,
  });
  const admin = await openAdmin({ host: config.HOST, port: config.ADMIN_PORT, ready: () => readiness(database, config), log });
  return {
    name: 'catalog',
    url: `${config.HOST}:${mesh.port}`,
    stop: async () => {
      await mesh.stop();
      await admin.close();
      keys.stop();
      auth.close();
      tls?.stop();
      await container.close();
      await database.destroy();
    },
  };
}

/** Readiness ignores auth: browsing needs no identity. */
async function readiness(database: Kysely<CatalogSchema>, config: CatalogConfig): Promise<Readiness> {
  const { products } = await database
    .selectFrom('products')
    .select((row) => row.fn.countAll<number | bigint | string>().as('products'))
    .executeTakeFirstOrThrow();
  return { database: { ok: Number(products) > 0, products: Number(products) }, provider: { ok: true, name: config.PROVIDER } };
}
