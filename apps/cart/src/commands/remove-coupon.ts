import { isProblem, type CommandAcceptedSchema, type Problem, type RemoveCouponRequest } from '@cloakroom/contracts';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { PersonContext } from '@cloakroom/mesh';
import { commandOfDot } from '../model/cart.ts';
import { acceptCommand, observe, readCommand } from './command.ts';
import { checkCouponCode } from './coupon-code.ts';
import type { CartParts } from '../cart.dependencies.ts';

type Request = Pick<RemoveCouponRequest, 'commandId' | 'code' | 'seen'>;

/** Removes the seen notes of a coupon. The same code, noted on another device meanwhile, stays. Removing a missing coupon is no error. */
export async function removeCoupon(
  parts: CartParts,
  ctx: PersonContext,
  request: Request,
): Promise<MessageInitShape<typeof CommandAcceptedSchema> | Problem> {
  const { commandId, code } = request;
  const refused = checkCouponCode(code);
  if (refused !== undefined) return refused;
  const command = await readCommand(parts, ctx, request);
  if (isProblem(command)) return command;
  const { cartId, atMs, dot, known } = command;
  const { observed } = await observe(parts, command);
  // This only makes the event smaller: the event names its coupon, and kills nothing else anyway.
  const ofCoupon = observed.filter((one) => {
    const id = commandOfDot(one);
    return known?.dots.has(id) !== true && (known?.coupons.get(id) ?? code) === code;
  });
  const accepted = await acceptCommand(parts, ctx, command, { type: 'CouponRemoved', cartId, atMs, dot, code, observed: ofCoupon });
  return isProblem(accepted) ? accepted : { commandId, ...accepted };
}
