/** All wiring of orders. */
import { randomBytes, randomUUID } from 'node:crypto';
import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { type EventLog, eventLogOf, type Parts } from '@cloakroom/event-log';
import {
  askRelayThrough,
  jwksFrom,
  type KeyRing,
  openKeyRing,
  type OpenKeyRing,
  openLateFeed,
  openTokenExchange,
  type RevocationFeed,
  type TokenExchange,
} from '@cloakroom/identity';
import { type DatabaseOptions, type Logger, openDatabase, openLease } from '@cloakroom/platform';
import { workerLease } from './saga/announce.ts';
import type { OrdersConfig } from './config.ts';
import {
  configToken,
  databaseToken,
  eventLogToken,
  exchangeToken,
  feedToken,
  workerToken,
  keysToken,
  noticesToken,
  ordersToken,
  peersToken,
  processToken,
  providerToken,
} from './injection.ts';
import { openBackgroundWorker, type BackgroundWorker } from './saga/background-worker.ts';
import { openOrderNotices } from './reads/order-notices.ts';
import { OrdersController } from './orders.controller.ts';
import { type Database, expansions, migrations, type OrdersSchema } from './orders.ts';
import type { OrdersParts } from './orders.dependencies.ts';
import { openSimulatedProvider, type SimulatedProvider } from './payments/payment-provider.simulated.ts';
import type { Peers } from './peers.ts';
import { chargeWaitMs } from './saga/saga.ts';

const databaseOptions = (config: OrdersConfig, log: Logger): DatabaseOptions => ({
  name: 'orders',
  log,
  password: config.DATABASE_PASSWORD,
});

const storage: Provider[] = [
  {
    provide: databaseToken,
    inject: [configToken, processToken],
    useFactory: (config: OrdersConfig, { log }: Parts) =>
      openDatabase<OrdersSchema>(config.DATABASE_URL, migrations, { ...databaseOptions(config, log), expansions }),
  },
  {
    provide: eventLogToken,
    inject: [configToken, processToken],
    useFactory: (config: OrdersConfig, parts: Parts): Promise<EventLog> => eventLogOf('orders', config, parts),
  },
];

const identity: Provider[] = [
  {
    provide: keysToken,
    inject: [peersToken, processToken],
    useFactory: ({ auth }: Peers, { log, clock }: Parts): OpenKeyRing => openKeyRing({ log, clock, fetchJwks: jwksFrom(auth) }),
  },
  {
    provide: feedToken,
    inject: [eventLogToken, keysToken, peersToken, processToken],
    useFactory: (eventLog: EventLog, keys: KeyRing, { auth }: Peers, { log, clock }: Parts): RevocationFeed =>
      openLateFeed({ eventLog, keys, askRelay: askRelayThrough(auth), clock, log, group: `orders-feed-${randomUUID()}` }),
  },
  {
    provide: exchangeToken,
    inject: [peersToken, feedToken, processToken],
    useFactory: ({ exchange }: Peers, feed: RevocationFeed, { clock }: Parts): TokenExchange =>
      openTokenExchange({ auth: exchange, feed, clock }),
  },
];

const orders: Provider[] = [
  {
    provide: providerToken,
    inject: [databaseToken],
    useFactory: (db: Database): SimulatedProvider => openSimulatedProvider({ db, random: (count) => randomBytes(count) }),
  },
  {
    provide: workerToken,
    inject: [configToken, eventLogToken, providerToken, processToken],
    useFactory: (config: OrdersConfig, eventLog: EventLog, provider: SimulatedProvider, { log }: Parts): BackgroundWorker =>
      openBackgroundWorker({
        eventLog,
        lease: openLease(config.DATABASE_URL, workerLease, databaseOptions(config, log)),
        log,
        deliverCallbacks: () => provider.deliver(),
      }),
  },
  {
    provide: ordersToken,
    inject: [databaseToken, peersToken, exchangeToken, workerToken, providerToken, processToken],
    useFactory: (
      db: Database,
      { cart, catalog, profile }: Peers,
      exchange: TokenExchange,
      worker: BackgroundWorker,
      payments: SimulatedProvider,
      { log, clock }: Parts,
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
      committed: () => worker.wake(),
    }),
  },
  {
    provide: noticesToken,
    inject: [eventLogToken, processToken],
    useFactory: (eventLog: EventLog, { log }: Parts) => openOrderNotices({ eventLog, log, group: `orders-notices-${randomUUID()}` }),
  },
];

@Module({})
export class OrdersModule {
  static with(config: OrdersConfig, parts: Parts, peers: Peers): DynamicModule {
    const given: Provider[] = [
      { provide: configToken, useValue: config },
      { provide: processToken, useValue: parts },
      { provide: peersToken, useValue: peers },
    ];
    return { module: OrdersModule, providers: [...given, ...storage, ...identity, ...orders, OrdersController] };
  }
}
