import { Body, Controller, Delete, Get, Inject, Param, Post, Put } from '@nestjs/common';
import type { z } from 'zod';
import { ProductMemory } from '../catalog/product-memory.ts';
import { CurrentExchange, Policy } from '../edge/policy.ts';
import type { Gateway } from '../gateway.ts';
import type { Exchange } from '../http-exchange.ts';
import { authClientToken, cartClientToken, catalogClientToken, limitsToken } from '../injection.ts';
import { addLine } from './add-line.ts';
import { applyCoupon } from './apply-coupon.ts';
import { cartSchema } from './cart-answer.ts';
import { clearCart } from './clear-cart.ts';
import {
  acceptedSchema,
  addLineBody,
  commandBody,
  couponParams,
  lineAcceptedSchema,
  lineParams,
  seenBody,
  setQuantityBody,
} from './command-input.ts';
import { getCart } from './get-cart.ts';
import { removeCoupon } from './remove-coupon.ts';
import { removeLine } from './remove-line.ts';
import { setQuantity } from './set-quantity.ts';

const reading = { operationClass: 'cart', identity: 'guest', audience: 'cart', budgetMs: 2_500 } as const;
const writing = { ...reading, budgetMs: 4_000 } as const;
const accepted = { description: 'Taken. Read with the Consistency-Token to see it.', consistency: 'write' } as const;

/** Nest judges the last parameter first, so the address stands last: a wrong one is told before a wrong body. */
@Controller('api/cart')
export class CartController {
  constructor(
    @Inject(cartClientToken) readonly cart: Gateway['cart'],
    @Inject(catalogClientToken) readonly catalog: Gateway['catalog'],
    @Inject(authClientToken) readonly auth: Gateway['auth'],
    @Inject(limitsToken) readonly limits: Gateway['limits'],
    readonly products: ProductMemory,
  ) {}

  @Get()
  @Policy({
    ...reading,
    summary: 'The cart of this session. Waits a little for your own writes, and for what you were shown before.',
    answers: { 200: { description: 'The cart.', schema: cartSchema, consistency: 'read' } },
  })
  getCart(@CurrentExchange() exchange: Exchange) {
    return getCart(exchange, this);
  }

  @Post('lines')
  @Policy({
    ...writing,
    summary: 'Adds to the cart. The first one of a browser begins its guest session.',
    identity: 'first-write',
    answers: { 202: { ...accepted, schema: lineAcceptedSchema, setsSession: true } },
    errors: [
      'session_required',
      'unknown_product',
      'other_cart',
      'command_conflict',
      'command_expired',
      'limit_exceeded',
      'outcome_unknown',
    ],
  })
  addLine(@CurrentExchange() exchange: Exchange, @Body({ schema: addLineBody }) body: z.output<typeof addLineBody>) {
    return addLine(exchange, { body }, this);
  }

  @Put('lines/:lineId')
  @Policy({
    ...writing,
    summary: 'Sets the quantity of what was seen of a line. 0 removes it.',
    answers: { 202: { ...accepted, schema: acceptedSchema } },
    errors: ['unknown_line', 'other_cart', 'command_conflict', 'command_expired', 'limit_exceeded', 'outcome_unknown'],
  })
  setQuantity(
    @CurrentExchange() exchange: Exchange,
    @Body({ schema: setQuantityBody }) body: z.output<typeof setQuantityBody>,
    @Param({ schema: lineParams }) params: z.output<typeof lineParams>,
  ) {
    return setQuantity(exchange, { params, body }, this);
  }

  @Delete('lines/:lineId')
  @Policy({
    ...writing,
    summary: 'Removes what was seen of a line.',
    answers: { 202: { ...accepted, schema: acceptedSchema } },
    errors: ['unknown_line', 'other_cart', 'command_conflict', 'command_expired', 'outcome_unknown'],
  })
  removeLine(
    @CurrentExchange() exchange: Exchange,
    @Body({ schema: seenBody }) body: z.output<typeof seenBody>,
    @Param({ schema: lineParams }) params: z.output<typeof lineParams>,
  ) {
    return removeLine(exchange, { params, body }, this);
  }

  @Delete()
  @Policy({
    ...writing,
    summary: 'Removes what was seen of the cart.',
    answers: { 202: { ...accepted, schema: acceptedSchema } },
    errors: ['other_cart', 'command_conflict', 'command_expired', 'outcome_unknown'],
  })
  clearCart(@CurrentExchange() exchange: Exchange, @Body({ schema: seenBody }) body: z.output<typeof seenBody>) {
    return clearCart(exchange, { body }, this);
  }

  @Put('coupons/:code')
  @Policy({
    ...writing,
    summary: 'Notes a coupon. What it is worth is judged at check-out.',
    answers: { 202: { ...accepted, schema: acceptedSchema } },
    errors: ['other_cart', 'command_conflict', 'command_expired', 'limit_exceeded', 'outcome_unknown'],
  })
  applyCoupon(
    @CurrentExchange() exchange: Exchange,
    @Body({ schema: commandBody }) body: z.output<typeof commandBody>,
    @Param({ schema: couponParams }) params: z.output<typeof couponParams>,
  ) {
    return applyCoupon(exchange, { params, body }, this);
  }

  @Delete('coupons/:code')
  @Policy({
    ...writing,
    summary: 'Removes what was seen of a coupon.',
    answers: { 202: { ...accepted, schema: acceptedSchema } },
    errors: ['other_cart', 'command_conflict', 'command_expired', 'outcome_unknown'],
  })
  removeCoupon(
    @CurrentExchange() exchange: Exchange,
    @Body({ schema: seenBody }) body: z.output<typeof seenBody>,
    @Param({ schema: couponParams }) params: z.output<typeof couponParams>,
  ) {
    return removeCoupon(exchange, { params, body }, this);
  }
}
