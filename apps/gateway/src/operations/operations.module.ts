import { Module } from '@nestjs/common';
import type { EventLog } from '@cloakroom/event-log';
import { boundedLook, type Clock, metrics } from '@cloakroom/platform';
import type { GatewayConfig } from '../config.ts';
import { EdgeModule } from '../edge/edge.module.ts';
import { HttpServer } from '../edge/http-server.ts';
import { EventsModule } from '../events/events.module.ts';
import { Streams } from '../events/streams.ts';
import type { Gateway, IdentityParts } from '../gateway.ts';
import { clockToken, configToken, eventLogToken, identityToken, jwksToken, lookToken, readMetricsToken } from '../injection.ts';
import { MeshModule } from '../mesh.module.ts';
import { OperationsController } from './operations.controller.ts';
import { openLookAtParts } from './readiness.ts';

@Module({
  imports: [EdgeModule, EventsModule, MeshModule],
  controllers: [OperationsController],
  providers: [
    {
      provide: lookToken,
      inject: [configToken, identityToken, eventLogToken, jwksToken, Streams, HttpServer],
      useFactory: (
        config: GatewayConfig,
        identity: IdentityParts,
        eventLog: EventLog,
        jwks: Gateway['jwks'],
        streams: Streams,
        server: HttpServer,
      ) => boundedLook(openLookAtParts({ config, identity, eventLog, jwks, streams, server }), () => identity.clock.monotonicMs()),
    },
    {
      provide: readMetricsToken,
      inject: [clockToken],
      useFactory: (clock: Clock) =>
        boundedLook(
          () => metrics.metrics(),
          () => clock.monotonicMs(),
        ),
    },
  ],
})
export class OperationsModule {}
