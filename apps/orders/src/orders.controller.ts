import { Inject, Injectable } from '@nestjs/common';
import type { OrdersService } from '@cloakroom/contracts';
import { person, type Handlers } from '@cloakroom/mesh';
import { getOrder } from './reads/get-order.ts';
import { noticesToken, ordersToken } from './injection.ts';
import { listOrders } from './reads/list-orders.ts';
import type { OrderNotices } from './reads/order-notices.ts';
import type { OrdersParts } from './orders.dependencies.ts';
import { placeOrder } from './place-order/place-order.ts';
import { previewOrder } from './place-order/preview-order.ts';
import { watchOrders } from './reads/watch-orders.ts';

/** The table of contents of orders: one line per rpc. */
@Injectable()
export class OrdersController {
  readonly handlers: Handlers<typeof OrdersService>;

  constructor(@Inject(ordersToken) orders: OrdersParts, @Inject(noticesToken) notices: OrderNotices) {
    this.handlers = {
      previewOrder: (ctx, request) => previewOrder(orders, person(ctx), request),
      placeOrder: (ctx, request) => placeOrder(orders, person(ctx), request),
      listOrders: (ctx, request) => listOrders(orders, person(ctx), request),
      getOrder: (ctx, request) => getOrder(orders, person(ctx), request),
      watch: (ctx) => watchOrders(orders, notices, person(ctx)),
    };
  }
}
