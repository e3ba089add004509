import { Controller, Inject } from '@nestjs/common';
import {
  type GetOrderRequest,
  type ListOrdersRequest,
  OrdersService,
  type PlaceOrderRequest,
  type PreviewOrderRequest,
} from '@cloakroom/contracts';
import { person, type RequestContext, Rpc, type Rpcs } from '@cloakroom/mesh';
import { noticesToken, ordersToken } from './injection.ts';
import type { OrdersParts } from './orders.dependencies.ts';
import { placeOrder } from './place-order/place-order.ts';
import { previewOrder } from './place-order/preview-order.ts';
import { getOrder } from './reads/get-order.ts';
import { listOrders } from './reads/list-orders.ts';
import type { OrderNotices } from './reads/order-notices.ts';
import { watchOrders } from './reads/watch-orders.ts';

/** The table of contents of orders: one line per rpc. */
@Controller()
export class OrdersController implements Rpcs<typeof OrdersService> {
  constructor(
    @Inject(ordersToken) private readonly orders: OrdersParts,
    @Inject(noticesToken) private readonly notices: OrderNotices,
  ) {}

  @Rpc(OrdersService.method.previewOrder)
  previewOrder(ctx: RequestContext, request: PreviewOrderRequest) {
    return previewOrder(this.orders, person(ctx), request);
  }

  @Rpc(OrdersService.method.placeOrder)
  placeOrder(ctx: RequestContext, request: PlaceOrderRequest) {
    return placeOrder(this.orders, person(ctx), request);
  }

  @Rpc(OrdersService.method.listOrders)
  listOrders(ctx: RequestContext, request: ListOrdersRequest) {
    return listOrders(this.orders, person(ctx), request);
  }

  @Rpc(OrdersService.method.getOrder)
  getOrder(ctx: RequestContext, request: GetOrderRequest) {
    return getOrder(this.orders, person(ctx), request);
  }

  @Rpc(OrdersService.method.watch)
  watch(ctx: RequestContext) {
    return watchOrders(this.orders, this.notices, person(ctx));
  }
}
