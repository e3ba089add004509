/** All wiring of cart. */
import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { type EventLog, eventLogOf, type Parts } from '@cloakroom/event-log';
import { CartController } from './cart.controller.ts';
import type { CartView } from './projection/cart.view.ts';
import { MemoryCartView } from './projection/cart.view.memory.ts';
import { openRedisCartView } from './projection/cart.view.redis.ts';
import type { CartConfig } from './config.ts';
import { openLogFollower } from './follow-log.ts';
import { cartToken, configToken, eventLogToken, processToken, followerToken, viewToken } from './injection.ts';
import { modelOf } from './models/choose.ts';
import { cartTopics, type CartParts } from './cart.dependencies.ts';

const adapters: Provider[] = [
  {
    provide: eventLogToken,
    inject: [configToken, processToken],
    useFactory: (config: CartConfig, parts: Parts): Promise<EventLog> => eventLogOf('cart', config, parts),
  },
  {
    provide: viewToken,
    inject: [configToken, processToken],
    useFactory: ({ CART_VIEW, CART_REDIS_URL }: CartConfig, { log }: Parts): CartView =>
      CART_VIEW === 'memory' || CART_REDIS_URL === undefined ? new MemoryCartView() : openRedisCartView({ url: CART_REDIS_URL, log }),
  },
];

const cart: Provider[] = [
  {
    provide: cartToken,
    inject: [configToken, processToken, eventLogToken, viewToken],
    useFactory: (config: CartConfig, { log, clock }: Parts, eventLog: EventLog, view: CartView): CartParts => ({
      eventLog,
      view,
      clock,
      log,
      topics: cartTopics,
      region: config.REGION,
      model: modelOf(config.CART_MODEL),
    }),
  },
  { provide: followerToken, inject: [cartToken], useFactory: (parts: CartParts) => openLogFollower(parts) },
];

@Module({})
export class CartModule {
  static with(config: CartConfig, parts: Parts): DynamicModule {
    const given: Provider[] = [
      { provide: configToken, useValue: config },
      { provide: processToken, useValue: parts },
    ];
    return { module: CartModule, providers: [...given, ...adapters, ...cart, CartController] };
  }
}
