import { Inject, Injectable } from '@nestjs/common';
import type { CartService } from '@cloakroom/contracts';
import { person, type Handlers } from '@cloakroom/mesh';
import { addItem } from './commands/add-item.ts';
import { applyCoupon } from './commands/apply-coupon.ts';
import { clearCart } from './commands/clear-cart.ts';
import type { LogFollower } from './follow-log.ts';
import { getCart } from './reads/get-cart.ts';
import { cartToken, followerToken } from './injection.ts';
import type { CartParts } from './cart.dependencies.ts';
import { prepareOrder } from './reads/prepare-order.ts';
import { removeCoupon } from './commands/remove-coupon.ts';
import { removeItem } from './commands/remove-item.ts';
import { setQuantity } from './commands/set-quantity.ts';
import { watchCart, Watchers } from './reads/watch-cart.ts';

/** The table of contents of cart: one line for each rpc. */
@Injectable()
export class CartController {
  readonly handlers: Handlers<typeof CartService>;

  constructor(@Inject(cartToken) cart: CartParts, @Inject(followerToken) follower: LogFollower) {
    const watchers = new Watchers();
    this.handlers = {
      addItem: (ctx, request) => addItem(cart, person(ctx), request),
      setQuantity: (ctx, request) => setQuantity(cart, person(ctx), request),
      removeItem: (ctx, request) => removeItem(cart, person(ctx), request),
      clearCart: (ctx, request) => clearCart(cart, person(ctx), request),
      applyCoupon: (ctx, request) => applyCoupon(cart, person(ctx), request),
      removeCoupon: (ctx, request) => removeCoupon(cart, person(ctx), request),
      getCart: (ctx, request) => getCart({ ...cart, projector: follower }, person(ctx), request),
      prepareOrder: (ctx, request) => prepareOrder({ ...cart, projector: follower }, person(ctx), request),
      watch: (ctx) => watchCart(cart, watchers, person(ctx)),
    };
  }
}
