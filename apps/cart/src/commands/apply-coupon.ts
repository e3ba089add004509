import { isProblem, type ApplyCouponRequest, type CommandAcceptedSchema, type Problem } from '@cloakroom/contracts';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { PersonContext } from '@cloakroom/mesh';
import { acceptCommand, readCommand } from './command.ts';
import { checkCouponCode } from './coupon-code.ts';
import type { CartParts } from '../cart.dependencies.ts';

type Request = Pick<ApplyCouponRequest, 'commandId' | 'code'>;

/** Notes a coupon's code without judging it. Orders judges it at check-out, because it may have run out by then. */
export async function applyCoupon(
  parts: CartParts,
  ctx: PersonContext,
  { commandId, code }: Request,
): Promise<MessageInitShape<typeof CommandAcceptedSchema> | Problem> {
  const refused = checkCouponCode(code);
  if (refused !== undefined) return refused;
  const command = await readCommand(parts, ctx, { commandId, seen: '' });
  if (isProblem(command)) return command;
  const { cartId, atMs, dot } = command;
  const accepted = await acceptCommand(parts, ctx, command, { type: 'CouponApplied', cartId, atMs, dot, code });
  return isProblem(accepted) ? accepted : { commandId, ...accepted };
}
