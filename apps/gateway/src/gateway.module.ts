/** The gateway, as the modules that it is made of. Their order is the order of the OpenAPI document. */
import { type BeforeApplicationShutdown, type DynamicModule, Module, type OnModuleDestroy } from '@nestjs/common';
import { AccountModule } from './account/account.module.ts';
import { CartModule } from './cart/cart.module.ts';
import { CatalogModule } from './catalog/catalog.module.ts';
import type { GatewayConfig } from './config.ts';
import { EdgeModule } from './edge/edge.module.ts';
import { HttpServer } from './edge/http-server.ts';
import { EventsModule } from './events/events.module.ts';
import { Streams } from './events/streams.ts';
import type { GatewayParts } from './gateway.ts';
import { ObservatoryModule } from './observatory/observatory.module.ts';
import { OperationsModule } from './operations/operations.module.ts';
import { OrdersModule } from './orders/orders.module.ts';
import { ProcessModule } from './process.module.ts';
import { ProfileModule } from './profile/profile.module.ts';
import { SessionModule } from './session/session.module.ts';

const features = [
  SessionModule,
  AccountModule,
  CatalogModule,
  CartModule,
  OrdersModule,
  ProfileModule,
  EventsModule,
  ObservatoryModule,
  OperationsModule,
] as const;

/**
 * The order of a stop, as Nest's close() runs it. /readyz says no and live streams end, so that their clients go to another replica. Requests
 * in flight finish. Then Nest closes the server, and only then the modules close what they have opened (`onApplicationShutdown`).
 */
@Module({})
export class GatewayModule implements OnModuleDestroy, BeforeApplicationShutdown {
  constructor(
    private readonly server: HttpServer,
    private readonly streams: Streams,
  ) {}

  static with(config: GatewayConfig, parts: GatewayParts): DynamicModule {
    return { module: GatewayModule, imports: [ProcessModule.with(config, parts), ...features, EdgeModule] };
  }

  onModuleDestroy(): void {
    this.server.stopping = true;
    this.streams.closeAll();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.server.drained();
  }
}
