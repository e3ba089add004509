import { Body, Controller, Inject, Post } from '@nestjs/common';
import type { z } from 'zod';
import { CurrentExchange, Policy } from '../edge/policy.ts';
import type { Gateway } from '../gateway.ts';
import type { Exchange } from '../http-exchange.ts';
import { clockToken, configToken } from '../injection.ts';
import { pageSpansBody, takePageSpans } from './take-page-spans.ts';

@Controller('api/page-spans')
export class ObservatoryController {
  constructor(
    @Inject(configToken) readonly config: Gateway['config'],
    @Inject(clockToken) readonly clock: Gateway['clock'],
  ) {}

  @Post()
  @Policy({
    summary: 'Times of clicks, for the Observatory of a shop on this machine. Elsewhere it is not there.',
    operationClass: 'personal',
    identity: 'none',
    budgetMs: 1_000,
    answers: { 204: { description: 'Taken.' } },
    errors: ['not_found'],
  })
  takePageSpans(@CurrentExchange() exchange: Exchange, @Body({ schema: pageSpansBody }) body: z.output<typeof pageSpansBody>) {
    return takePageSpans(exchange, { body }, this);
  }
}
