/** All Nest wiring of the gateway: Nest hosts the process and turns what falls through into our own answers. */
import { type ArgumentsHost, Catch, type DynamicModule, type ExceptionFilter, Inject, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Gateway } from './gateway.ts';
import { answerFailure } from './edge/http-server.ts';

export const GATEWAY = Symbol('gateway');

@Catch()
class FailureFilter implements ExceptionFilter {
  private readonly gateway: Gateway;

  constructor(@Inject(GATEWAY) gateway: Gateway) {
    this.gateway = gateway;
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    answerFailure(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>(), this.gateway);
  }
}

@Module({})
export class GatewayModule {
  static with(gateway: Gateway): DynamicModule {
    return {
      module: GatewayModule,
      providers: [
        { provide: GATEWAY, useValue: gateway },
        { provide: APP_FILTER, useClass: FailureFilter },
      ],
    };
  }
}
