/** The parts that orders is made of, and its door. */
import { randomBytes, randomUUID } from 'node:crypto';
import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { OrdersService } from '@cloakroom/contracts';
import { Commits, type EventLog, type Parts } from '@cloakroom/event-log';
import {
  eventLogToken,
  feedToken,
  IdentityModule,
  openFeedStatus,
  openTokenExchange,
  type RevocationFeed,
  type TokenExchange,
} from '@cloakroom/identity';
import { type MeshTls, processToken, readinessToken, type ServiceProcess, serveService, tlsToken, withLifecycle } from '@cloakroom/mesh';
import type { Logger, Running } from '@cloakroom/platform';
import { type DatabaseOptions, openDatabase, openLease } from '@cloakroom/platform/database';
import type { OrdersConfig } from './config.ts';
import {
  commitsToken,
  configToken,
  databaseToken,
  exchangeToken,
  noticesToken,
  ordersToken,
  peersToken,
  providerToken,
  workerToken,
} from './injection.ts';
import { watchOrdersTables } from './metrics.ts';
import { OrdersController } from './orders.controller.ts';
import type { OrdersParts } from './orders.dependencies.ts';
import { type Database, expansions, migrations, type OrdersSchema } from './orders.ts';
import { openSimulatedProvider, type SimulatedProvider } from './payments/payment-provider.simulated.ts';
import { connectPeers, type Peers } from './peers.ts';
import { lookAtParts } from './readiness.ts';
import { openOrderNotices, type OrderNotices } from './reads/order-notices.ts';
import { workerLease } from './saga/announce.ts';
import { type BackgroundWorker, openBackgroundWorker } from './saga/background-worker.ts';
import { chargeWaitMs } from './saga/saga.ts';

export { readConfig, type OrdersConfig } from './config.ts';

const databaseOptions = (config: OrdersConfig, log: Logger): DatabaseOptions => ({
  name: 'orders',
  log,
  password: config.DATABASE_PASSWORD,
});

const database: Provider = {
  provide: databaseToken,
  inject: [configToken, processToken],
  useFactory: async (config: OrdersConfig, { log, clock }: ServiceProcess): Promise<Database> => {
    const opened = await openDatabase<OrdersSchema>(config.DATABASE_URL, migrations, { ...databaseOptions(config, log), expansions });
    const unwatch = watchOrdersTables({ db: opened, clock });
    const close = async (): Promise<void> => {
      unwatch();
      await opened.destroy();
    };
    return withLifecycle(opened, () => ({ onApplicationShutdown: close }));
  },
};

const peers: Provider[] = [
  {
    provide: peersToken,
    inject: [configToken, tlsToken, processToken],
    useFactory: (config: OrdersConfig, tls: MeshTls | undefined, { log }: ServiceProcess): Peers =>
      withLifecycle(connectPeers(config, tls, log), (opened) => ({ onApplicationShutdown: () => opened.close() })),
  },
  {
    provide: exchangeToken,
    inject: [peersToken, feedToken, processToken],
    useFactory: ({ exchange }: Peers, feed: RevocationFeed, { clock }: ServiceProcess): TokenExchange =>
      withLifecycle(openTokenExchange({ auth: exchange, feed, clock }), (opened) => ({ onApplicationShutdown: () => opened.stop() })),
  },
  {
    provide: providerToken,
    inject: [databaseToken],
    useFactory: (db: Database): SimulatedProvider => openSimulatedProvider({ db, random: (count) => randomBytes(count) }),
  },
];

const orders: Provider = {
  provide: ordersToken,
  inject: [databaseToken, peersToken, exchangeToken, providerToken, commitsToken, processToken],
  useFactory: (
    db: Database,
    { cart, catalog, profile }: Peers,
    exchange: TokenExchange,
    payments: SimulatedProvider,
    commits: Commits,
    { log, clock }: ServiceProcess,
  ): OrdersParts => ({
    db,
    clock,
    log,
    random: (count) => randomBytes(count),
    cart,
    catalog,
    profile,
    exchange,
    payments,
    chargeWaitMs,
    committed: commits.notice,
  }),
};

/** Work without a request. At the stop it ends before everything that it was made from; another replica or the next start finishes the rest. */
const worker: Provider = {
  provide: workerToken,
  inject: [ordersToken, commitsToken, eventLogToken, providerToken, configToken],
  useFactory: async (
    parts: OrdersParts,
    commits: Commits,
    eventLog: EventLog,
    provider: SimulatedProvider,
    config: OrdersConfig,
  ): Promise<BackgroundWorker> =>
    withLifecycle(
      openBackgroundWorker({
        parts,
        commits,
        eventLog,
        lease: await openLease(config.DATABASE_URL, workerLease, databaseOptions(config, parts.log)),
        deliverCallbacks: () => provider.deliver(),
      }),
      (opened) => ({ onApplicationBootstrap: () => opened.start(), onApplicationShutdown: () => opened.stop() }),
    ),
};

const notices: Provider = {
  provide: noticesToken,
  inject: [eventLogToken, processToken],
  useFactory: (eventLog: EventLog, { log }: ServiceProcess): OrderNotices =>
    withLifecycle(openOrderNotices({ eventLog, log, group: `orders-notices-${randomUUID()}` }), (opened) => ({
      onApplicationBootstrap: () => opened.start(),
      onApplicationShutdown: () => opened.stop(),
    })),
};

const readiness: Provider = {
  provide: readinessToken,
  inject: [ordersToken, eventLogToken, workerToken, noticesToken, feedToken, configToken],
  useFactory: (
    { db, clock }: OrdersParts,
    eventLog: EventLog,
    opened: BackgroundWorker,
    told: OrderNotices,
    feed: RevocationFeed,
    config: OrdersConfig,
  ) => {
    const feedStatus = openFeedStatus(feed, clock);
    return () => lookAtParts({ db, eventLog, worker: opened, notices: told, feedStatus }, config);
  },
};

@Module({})
export class OrdersModule {
  static with(config: OrdersConfig, parts: Parts): DynamicModule {
    const given: Provider[] = [
      { provide: configToken, useValue: config },
      { provide: commitsToken, useValue: new Commits() },
    ];
    return {
      module: OrdersModule,
      imports: [IdentityModule.with('orders', config, parts)],
      controllers: [OrdersController],
      providers: [...given, database, ...peers, orders, worker, notices, readiness],
      exports: [IdentityModule, readinessToken],
    };
  }
}

export const start = (config: OrdersConfig, parts: Parts): Promise<Running> =>
  serveService({ module: OrdersModule.with(config, parts), services: [OrdersService], log: parts.log });
