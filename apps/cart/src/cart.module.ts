/** The parts of cart, and `start`, which serves them. */
import { type DynamicModule, Module, type Provider, type Type } from '@nestjs/common';
import { CartService } from '@cloakroom/contracts';
import type { EventLog, Parts } from '@cloakroom/event-log';
import {
  eventLogToken,
  feedToken,
  IdentityModule,
  type KeyRing,
  keysToken,
  openFeedStatus,
  type RevocationFeed,
} from '@cloakroom/identity';
import { processToken, readinessToken, type ServiceProcess, serveService, withLifecycle } from '@cloakroom/mesh';
import type { Running } from '@cloakroom/platform';
import { CartController } from './cart.controller.ts';
import { topicsBeside, type CartParts } from './cart.dependencies.ts';
import type { CartConfig } from './config.ts';
import { type LogFollower, openLogFollower } from './follow-log.ts';
import { cartToken, configToken, evolveToken, followerToken, viewToken } from './injection.ts';
import { evolveInBatch } from './model/cart.ts';
import { openReadiness } from './operations/readiness.ts';
import type { Evolve } from './projection/apply-record.ts';
import { MemoryCartView } from './projection/cart.view.memory.ts';
import { openRedisCartView } from './projection/cart.view.redis.ts';
import type { CartView } from './projection/cart.view.ts';
import { namedLog } from './projection/named-log.ts';

export { CartController } from './cart.controller.ts';
export { readConfig, type CartConfig } from './config.ts';
export { cartToken, evolveToken, followerToken } from './injection.ts';

const view: Provider = {
  provide: viewToken,
  inject: [configToken, processToken],
  useFactory: ({ CART_VIEW, CART_REDIS_URL }: CartConfig, { log }: ServiceProcess): CartView =>
    withLifecycle<CartView>(
      CART_VIEW === 'memory' || CART_REDIS_URL === undefined ? new MemoryCartView() : openRedisCartView({ url: CART_REDIS_URL, log }),
      (opened) => ({ onApplicationShutdown: () => opened.close() }),
    ),
};

const cart: Provider = {
  provide: cartToken,
  inject: [configToken, processToken, eventLogToken, viewToken, evolveToken],
  useFactory: (config: CartConfig, { log, clock }: ServiceProcess, eventLog: EventLog, opened: CartView, rules: Evolve): CartParts => {
    const topics = topicsBeside(config.OTHER_REGIONS.map(({ region }) => region));
    return { eventLog: namedLog(eventLog, topics), view: opened, clock, log, topics, region: config.REGION, evolve: rules };
  },
};

/** Every reader of the log. At the stop it ends before the log and the view: records that are not projected yet wait in the log. */
const follower: Provider = {
  provide: followerToken,
  inject: [cartToken, keysToken],
  useFactory: (parts: CartParts, keys: KeyRing): LogFollower =>
    withLifecycle(openLogFollower(parts), (opened) => ({
      onApplicationBootstrap: () => opened.start(keys),
      onApplicationShutdown: () => opened.stop(),
    })),
};

const readiness: Provider = {
  provide: readinessToken,
  inject: [cartToken, followerToken, feedToken, configToken],
  useFactory: (parts: CartParts, opened: LogFollower, feed: RevocationFeed, config: CartConfig) =>
    openReadiness(parts, opened, openFeedStatus(feed, parts.clock), config),
};

/** An experiment puts these in the place of the module's own. The service itself replaces none. */
export interface Replaced {
  /** The last provider of a token counts. */
  readonly providers?: readonly Provider[];
  readonly controller?: Type<CartController>;
}

@Module({})
export class CartModule {
  static with(config: CartConfig, parts: Parts, { providers = [], controller = CartController }: Replaced = {}): DynamicModule {
    const rules = { provide: evolveToken, useValue: evolveInBatch };
    return {
      module: CartModule,
      imports: [IdentityModule.with('cart', config, parts)],
      controllers: [controller],
      providers: [{ provide: configToken, useValue: config }, view, rules, cart, follower, readiness, ...providers],
      exports: [IdentityModule, readinessToken],
    };
  }
}

export const start = (config: CartConfig, parts: Parts, replaced?: Replaced): Promise<Running> =>
  serveService({ module: CartModule.with(config, parts, replaced), services: [CartService], log: parts.log });
