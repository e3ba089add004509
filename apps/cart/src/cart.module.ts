/** The wiring of cart. */
import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { type EventLog, eventLogOf, type Parts } from '@cloakroom/event-log';
import { CartController } from './cart.controller.ts';
import type { CartView } from './projection/cart.view.ts';
import { MemoryCartView } from './projection/cart.view.memory.ts';
import { openRedisCartView } from './projection/cart.view.redis.ts';
import type { CartConfig } from './config.ts';
import { openLogFollower } from './follow-log.ts';
import { cartToken, configToken, eventLogToken, evolveToken, processToken, followerToken, viewToken } from './injection.ts';
import { evolve } from './model/cart.ts';
import type { Evolve } from './projection/apply-record.ts';
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
  { provide: evolveToken, useValue: evolve },
  {
    provide: cartToken,
    inject: [configToken, processToken, eventLogToken, viewToken, evolveToken],
    useFactory: (config: CartConfig, { log, clock }: Parts, eventLog: EventLog, view: CartView, rules: Evolve): CartParts => ({
      eventLog,
      view,
      clock,
      log,
      topics: cartTopics,
      region: config.REGION,
      evolve: rules,
    }),
  },
  { provide: followerToken, inject: [cartToken], useFactory: (parts: CartParts) => openLogFollower(parts) },
];

@Module({})
export class CartModule {
  /** @param replaced providers in the place of those above. The last provider of a token counts. */
  static with(config: CartConfig, parts: Parts, replaced: readonly Provider[] = []): DynamicModule {
    const given: Provider[] = [
      { provide: configToken, useValue: config },
      { provide: processToken, useValue: parts },
    ];
    return { module: CartModule, providers: [...given, ...adapters, ...cart, CartController, ...replaced] };
  }
}
