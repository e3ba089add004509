/** The HTTP edge: limits, the guard's parts, the hooks of every request, and one shape for every failure. */
import { Module } from '@nestjs/common';
import { APP_FILTER, DiscoveryModule } from '@nestjs/core';
import { openLoadShedder } from '@cloakroom/mesh';
import type { GatewayConfig } from '../config.ts';
import { IdentityModule } from '../identity/identity.module.ts';
import { configToken, limitsToken, shedderToken } from '../injection.ts';
import { HttpServer } from './http-server.ts';
import { ProblemFilter } from './problem.filter.ts';
import { addressLimits } from './limits.ts';
import { RouteList } from './route-list.ts';

@Module({
  imports: [DiscoveryModule, IdentityModule],
  providers: [
    HttpServer,
    RouteList,
    { provide: APP_FILTER, useClass: ProblemFilter },
    { provide: limitsToken, inject: [configToken], useFactory: addressLimits },
    {
      provide: shedderToken,
      inject: [configToken],
      useFactory: ({ IN_FLIGHT_MAX, LOOP_LAG_MAX_MS }: GatewayConfig) =>
        openLoadShedder({ inFlightMax: IN_FLIGHT_MAX, loopLagMaxMs: LOOP_LAG_MAX_MS }),
    },
  ],
  exports: [HttpServer, RouteList, limitsToken, IdentityModule],
})
export class EdgeModule {}
