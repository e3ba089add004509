import { Controller, Get, Inject } from '@nestjs/common';
import { CurrentExchange, Policy } from '../edge/policy.ts';
import type { Gateway } from '../gateway.ts';
import type { Exchange } from '../http-exchange.ts';
import { cartClientToken, identityToken, logToken, ordersClientToken } from '../injection.ts';
import { eventSchema, openEvents } from './open-events.ts';
import { Streams } from './streams.ts';

@Controller('api/events')
export class EventsController {
  constructor(
    @Inject(cartClientToken) readonly cart: Gateway['cart'],
    @Inject(ordersClientToken) readonly orders: Gateway['orders'],
    @Inject(identityToken) readonly identity: Gateway['identity'],
    @Inject(logToken) readonly log: Gateway['log'],
    readonly streams: Streams,
  ) {}

  @Get()
  @Policy({
    summary: 'Server-sent events of this session: `cart`, `order` and `session` say what to read again.',
    operationClass: 'personal',
    identity: 'guest',
    audience: 'cart',
    budgetMs: 0,
    live: true,
    answers: {
      200: {
        description: 'A stream that ends with the session. The schema is that of one event.',
        schema: eventSchema,
        contentType: 'text/event-stream',
      },
    },
  })
  openEvents(@CurrentExchange() exchange: Exchange) {
    return openEvents(exchange, this);
  }
}
