import { Controller, Get, Inject } from '@nestjs/common';
import { z } from 'zod';
import { CurrentExchange, Policy } from '../edge/policy.ts';
import { RouteList } from '../edge/route-list.ts';
import type { Gateway } from '../gateway.ts';
import type { Exchange } from '../http-exchange.ts';
import { authClientToken, configToken, jwksToken, lookToken, readMetricsToken } from '../injection.ts';
import { readDocument } from './openapi.ts';
import { aliveSchema, isAlive, isReady, jwksSchema, readinessSchema, readJwks, readMetrics } from './process.ts';

const own = { operationClass: 'operations', identity: 'none', budgetMs: 2_000 } as const;

@Controller()
export class OperationsController {
  constructor(
    @Inject(authClientToken) readonly auth: Gateway['auth'],
    @Inject(configToken) readonly config: Gateway['config'],
    @Inject(jwksToken) readonly jwks: Gateway['jwks'],
    @Inject(lookToken) readonly look: Gateway['look'],
    @Inject(readMetricsToken) readonly readMetrics: Gateway['readMetrics'],
    readonly routes: RouteList,
  ) {}

  @Get('healthz')
  @Policy({
    ...own,
    summary: 'The process answers.',
    answers: { 200: { description: 'Alive.', schema: aliveSchema } },
  })
  isAlive() {
    return isAlive();
  }

  @Get('readyz')
  @Policy({
    ...own,
    summary: 'Takes requests, what does not do its work, and which provider, cluster and stores are behind it. Not through a proxy.',
    answers: {
      200: { description: 'Ready.', schema: readinessSchema },
      503: { description: 'Not ready, or stopping.', schema: readinessSchema },
    },
    errors: ['not_found'],
  })
  isReady(@CurrentExchange() exchange: Exchange) {
    return isReady(exchange, this);
  }

  @Get('metrics')
  @Policy({
    ...own,
    summary: 'Prometheus metrics. Not through a proxy.',
    answers: { 200: { description: 'Text exposition format.', schema: z.string(), contentType: 'text/plain' } },
    errors: ['not_found'],
  })
  metrics(@CurrentExchange() exchange: Exchange) {
    return readMetrics(exchange, this);
  }

  @Get('openapi.json')
  @Policy({
    ...own,
    summary: 'This document.',
    answers: { 200: { description: 'OpenAPI 3.1.', schema: z.looseObject({ openapi: z.string() }) } },
  })
  readDocument() {
    return readDocument(this);
  }

  @Get('.well-known/jwks.json')
  @Policy({
    ...own,
    summary: 'The keys that verify passports and signed events.',
    answers: { 200: { description: 'A JWK Set.', schema: jwksSchema, contentType: 'application/jwk-set+json' } },
  })
  readJwks(@CurrentExchange() exchange: Exchange) {
    return readJwks(exchange, this);
  }
}
