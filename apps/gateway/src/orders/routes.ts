/** The part of the table (../routes.ts) that orders what is in the cart, and shows what was ordered. */
import { route, type TableRoute } from '../route.ts';
import { getOrder } from './get-order.ts';
import { listOrders } from './list-orders.ts';
import { orderPageSchema, orderSchema, previewSchema } from './order-answer.ts';
import { orderBody, orderHeaders, orderParams, ordersQuery, previewBody } from './order-input.ts';
import { placeOrder } from './place-order.ts';
import { previewOrder } from './preview-order.ts';

const ordersBase = { operationClass: 'personal', identity: 'user', audience: 'orders', budgetMs: 2_500 } as const;

export const orderRoutes: readonly TableRoute[] = [
  route({
    ...ordersBase,
    method: 'POST',
    path: '/api/orders/preview',
    summary: 'What an order of this cart would be now: prices, stock, coupons. Changes nothing.',
    budgetMs: 3_500,
    body: previewBody,
    answers: { 200: { description: 'What it would be.', schema: previewSchema } },
    errors: ['limit_exceeded'],
    handle: previewOrder,
  }),
  route({
    ...ordersBase,
    method: 'POST',
    path: '/api/orders',
    summary: 'Orders what was seen of the cart, once for each Idempotency-Key. Step-up.',
    operationClass: 'sensitive',
    budgetMs: 7_500,
    headers: orderHeaders,
    body: orderBody,
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
    handle: placeOrder,
  }),
  route({
    ...ordersBase,
    method: 'GET',
    path: '/api/orders',
    summary: 'What this person has ordered, newest first.',
    query: ordersQuery,
    answers: { 200: { description: 'One page.', schema: orderPageSchema } },
    handle: listOrders,
  }),
  route({
    ...ordersBase,
    method: 'GET',
    path: '/api/orders/{orderId}',
    summary: 'One order of this person.',
    params: orderParams,
    answers: { 200: { description: 'The order.', schema: orderSchema } },
    // The id "preview" is an address of its own, which takes no GET.
    errors: ['not_found', 'method_not_allowed'],
    handle: getOrder,
  }),
];
