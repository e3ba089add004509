import { Body, Controller, Get, Inject, Param, Post, Query } from '@nestjs/common';
import type { z } from 'zod';
import { CurrentExchange, InputHeaders, Policy } from '../edge/policy.ts';
import type { Gateway } from '../gateway.ts';
import type { Exchange } from '../http-exchange.ts';
import { cartClientToken, catalogClientToken, identityToken, limitsToken, ordersClientToken } from '../injection.ts';
import { ProductMemory } from '../catalog/product-memory.ts';
import { getOrder } from './get-order.ts';
import { listOrders } from './list-orders.ts';
import { orderPageSchema, orderSchema, previewSchema } from './order-answer.ts';
import { orderBody, orderHeaders, orderParams, ordersQuery, previewBody } from './order-input.ts';
import { placeOrder } from './place-order.ts';
import { previewOrder } from './preview-order.ts';

const own = { operationClass: 'personal', identity: 'user', audience: 'orders', budgetMs: 2_500 } as const;

/** Nest judges the last parameter first, so the address stands last: a wrong one is told before a wrong body. */
@Controller('api/orders')
export class OrdersController {
  constructor(
    @Inject(ordersClientToken) readonly orders: Gateway['orders'],
    @Inject(cartClientToken) readonly cart: Gateway['cart'],
    @Inject(catalogClientToken) readonly catalog: Gateway['catalog'],
    @Inject(identityToken) readonly identity: Gateway['identity'],
    @Inject(limitsToken) readonly limits: Gateway['limits'],
    readonly products: ProductMemory,
  ) {}

  @Post('preview')
  @Policy({
    ...own,
    summary: 'What an order of this cart would be now: prices, stock, coupons. Changes nothing.',
    budgetMs: 3_500,
    answers: { 200: { description: 'What it would be.', schema: previewSchema } },
    errors: ['limit_exceeded'],
  })
  previewOrder(@CurrentExchange() exchange: Exchange, @Body({ schema: previewBody }) body: z.output<typeof previewBody>) {
    return previewOrder(exchange, { body }, this);
  }

  @Post()
  @Policy({
    ...own,
    summary: 'Orders what was seen of the cart, once for each Idempotency-Key. Step-up.',
    operationClass: 'sensitive',
    budgetMs: 7_500,
    answers: {
      201: {
        description: 'Placed; or taken, and its payment is not known yet (pending). The same key again: the same order.',
        schema: orderSchema,
      },
    },
    errors: [
      'step_up_required',
      'payment_declined',
      'cart_changed',
      'price_changed',
      'out_of_stock',
      'order_cancelled',
      'idempotency_key_reused',
      'unknown_address',
      'nothing_to_order',
      'limit_exceeded',
      'outcome_unknown',
    ],
  })
  placeOrder(
    @CurrentExchange() exchange: Exchange,
    @Body({ schema: orderBody }) body: z.output<typeof orderBody>,
    @InputHeaders({ schema: orderHeaders }) headers: z.output<typeof orderHeaders>,
  ) {
    return placeOrder(exchange, { headers, body }, this);
  }

  @Get()
  @Policy({
    ...own,
    summary: 'What this person has ordered, newest first.',
    answers: { 200: { description: 'One page.', schema: orderPageSchema } },
  })
  listOrders(@CurrentExchange() exchange: Exchange, @Query({ schema: ordersQuery }) query: z.output<typeof ordersQuery>) {
    return listOrders(exchange, { query }, this);
  }

  @Get(':orderId')
  @Policy({
    ...own,
    summary: 'One order of this person.',
    answers: { 200: { description: 'The order.', schema: orderSchema } },
    // The id "preview" is an address of its own, which takes no GET.
    errors: ['not_found', 'method_not_allowed'],
  })
  getOrder(@CurrentExchange() exchange: Exchange, @Param({ schema: orderParams }) params: z.output<typeof orderParams>) {
    return getOrder(exchange, { params }, this);
  }
}
