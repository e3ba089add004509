/** Opens the parts of orders, serves, and closes them again. */
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { OrdersService } from '@cloakroom/contracts';
import { type EventLog, lookAtLog, type Parts } from '@cloakroom/event-log';
import {
  createPassportVerifier,
  openAdmission,
  type OpenKeyRing,
  openFeedStatus,
  type RevocationFeed,
  type TokenExchange,
} from '@cloakroom/identity';
import { implement, openTls, serveMesh } from '@cloakroom/mesh';
import { openAdmin, type PartStatus, type Readiness, type Running } from '@cloakroom/platform';
import type { OrdersConfig } from './config.ts';
import { databaseToken, eventLogToken, exchangeToken, feedToken, workerToken, keysToken, noticesToken, ordersToken } from './injection.ts';
import type { BackgroundWorker } from './saga/background-worker.ts';
import { watchOrdersTables } from './metrics.ts';
import type { OrderNotices } from './reads/order-notices.ts';
import { OrdersController } from './orders.controller.ts';
import { OrdersModule } from './orders.module.ts';
import type { Database } from './orders.ts';
import type { OrdersParts } from './orders.dependencies.ts';
import { connectPeers } from './peers.ts';

export { readConfig, type OrdersConfig } from './config.ts';

export async function start(config: OrdersConfig, parts: Parts): Promise<Running> {
  const { log, clock } = parts;
  const tls = config.MESH_TLS === 'mutual' ? await openTls(config.TLS_DIR, 'orders', { log }) : undefined;
  const peers = connectPeers(config, tls, log);
  const module = OrdersModule.with(config, parts, peers);
  const container = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
  const db = container.get<Database>(databaseToken);
  const eventLog = container.get<EventLog>(eventLogToken);
  const keys = container.get<OpenKeyRing>(keysToken);
  const feed = container.get<RevocationFeed>(feedToken);
  const worker = container.get<BackgroundWorker>(workerToken);
  const notices = container.get<OrderNotices>(noticesToken);
  worker.start(container.get<OrdersParts>(ordersToken));
  notices.start();
  const unwatch = watchOrdersTables({ db, clock });
  const mesh = await serveMesh({
    name: 'orders',
    host: config.HOST,
    port: config.LISTEN_PORT,
    tls,
    services: [implement(OrdersService, container.get(OrdersController).handlers)],
    admission: openAdmission(createPassportVerifier({ audience: 'orders', keys, feed, clock, accessTokens: true }), clock),
    clock,
    log,
  });
  const feedStatus = openFeedStatus(feed, clock);
  const ready = () => readiness(db, eventLog, { worker, notices, feedStatus }, config);
  const admin = await openAdmin({ host: config.HOST, port: config.ADMIN_PORT, ready, log });
  return {
    name: 'orders',
    url: `${config.HOST}:${mesh.port}`,
    stop: async () => {
      // The parts that cause work close first, then the parts that do it. Another replica or the next start finishes the rest.
      await mesh.stop();
      await worker.stop();
      await notices.stop();
      unwatch();
      await feed.stop();
      container.get<TokenExchange>(exchangeToken).stop();
      await admin.close();
      keys.stop();
      peers.close();
      tls?.stop();
      if (parts.eventLog === undefined) await eventLog.close();
      await container.close();
      await db.destroy();
    },
  };
}

/** Readiness ignores the services that orders calls: orders can be read without them, and an order waits for them. */
async function readiness(
  db: Database,
  eventLog: EventLog,
  {
    worker,
    notices,
    feedStatus,
  }: { readonly worker: BackgroundWorker; readonly notices: OrderNotices; readonly feedStatus: () => PartStatus },
  config: OrdersConfig,
): Promise<Readiness> {
  const [, log] = await Promise.all([db.selectFrom('orders').select('order_id').limit(1).execute(), lookAtLog(eventLog, config.EVENT_LOG)]);
  return {
    database: { ok: true },
    eventLog: { ok: true, ...log, subscribed: notices.subscribed() },
    feed: feedStatus(),
    // One replica of all holds the lease. The others are as ready.
    worker: { ok: true, here: worker.leads() },
    provider: { ok: true, name: config.PROVIDER },
  };
}
