/** The wiring of the gateway. */
import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { CartController } from './cart/cart.controller.ts';
import { ProductMemory } from './catalog/product-memory.ts';
import { ProblemFilter } from './edge/problem.filter.ts';
import type { Gateway } from './gateway.ts';
import { authToken, cartToken, catalogToken, guardToken, limitsToken, logToken } from './injection.ts';

@Module({})
export class GatewayModule {
  static with(gateway: Gateway): DynamicModule {
    const parts: Provider[] = [
      { provide: guardToken, useValue: gateway },
      { provide: logToken, useValue: gateway.log },
      { provide: authToken, useValue: gateway.auth },
      { provide: cartToken, useValue: gateway.cart },
      { provide: catalogToken, useValue: gateway.catalog },
      { provide: limitsToken, useValue: gateway.limits },
      { provide: ProductMemory, useValue: gateway.products },
    ];
    return {
      module: GatewayModule,
      controllers: [CartController],
      providers: [...parts, { provide: APP_FILTER, useClass: ProblemFilter }],
    };
  }
}
