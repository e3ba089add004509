import { Controller, Inject } from '@nestjs/common';
import {
  type AddItemRequest,
  type ApplyCouponRequest,
  CartService,
  type ClearCartRequest,
  type GetCartRequest,
  type PrepareOrderRequest,
  type RemoveCouponRequest,
  type RemoveItemRequest,
  type SetQuantityRequest,
} from '@cloakroom/contracts';
import { person, type RequestContext, Rpc, type Rpcs } from '@cloakroom/mesh';
import type { CartParts } from './cart.dependencies.ts';
import { addItem } from './commands/add-item.ts';
import { applyCoupon } from './commands/apply-coupon.ts';
import { clearCart } from './commands/clear-cart.ts';
import { removeCoupon } from './commands/remove-coupon.ts';
import { removeItem } from './commands/remove-item.ts';
import { setQuantity } from './commands/set-quantity.ts';
import type { LogFollower } from './follow-log.ts';
import { cartToken, followerToken } from './injection.ts';
import { getCart } from './reads/get-cart.ts';
import { prepareOrder } from './reads/prepare-order.ts';
import type { ReadParts } from './reads/read-cart.ts';
import { watchCart, Watchers } from './reads/watch-cart.ts';

/** The table of contents of cart: one line for each rpc. */
@Controller()
export class CartController implements Rpcs<typeof CartService> {
  private readonly reads: ReadParts;
  private readonly watchers = new Watchers();

  constructor(
    @Inject(cartToken) private readonly cart: CartParts,
    @Inject(followerToken) projector: LogFollower,
  ) {
    this.reads = { ...cart, projector };
  }

  @Rpc(CartService.method.addItem)
  addItem(ctx: RequestContext, request: AddItemRequest) {
    return addItem(this.cart, person(ctx), request);
  }

  @Rpc(CartService.method.setQuantity)
  setQuantity(ctx: RequestContext, request: SetQuantityRequest) {
    return setQuantity(this.cart, person(ctx), request);
  }

  @Rpc(CartService.method.removeItem)
  removeItem(ctx: RequestContext, request: RemoveItemRequest) {
    return removeItem(this.cart, person(ctx), request);
  }

  @Rpc(CartService.method.clearCart)
  clearCart(ctx: RequestContext, request: ClearCartRequest) {
    return clearCart(this.cart, person(ctx), request);
  }

  @Rpc(CartService.method.applyCoupon)
  applyCoupon(ctx: RequestContext, request: ApplyCouponRequest) {
    return applyCoupon(this.cart, person(ctx), request);
  }

  @Rpc(CartService.method.removeCoupon)
  removeCoupon(ctx: RequestContext, request: RemoveCouponRequest) {
    return removeCoupon(this.cart, person(ctx), request);
  }

  @Rpc(CartService.method.getCart)
  getCart(ctx: RequestContext, request: GetCartRequest) {
    return getCart(this.reads, person(ctx), request);
  }

  @Rpc(CartService.method.prepareOrder)
  prepareOrder(ctx: RequestContext, request: PrepareOrderRequest) {
    return prepareOrder(this.reads, person(ctx), request);
  }

  @Rpc(CartService.method.watch)
  watch(ctx: RequestContext) {
    return watchCart(this.cart, this.watchers, person(ctx));
  }
}
