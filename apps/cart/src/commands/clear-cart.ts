import { isProblem, type ClearCartRequest, type CommandAcceptedSchema, type Problem } from '@cloakroom/contracts';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { PersonContext } from '@cloakroom/mesh';
import { acceptCommand, observe, readCommand } from './command.ts';
import type { CartParts } from '../cart.dependencies.ts';

type Request = Pick<ClearCartRequest, 'commandId' | 'seen'>;

/** Removes from the cart what the person saw in it. A concurrent add survives. */
export async function clearCart(
  parts: CartParts,
  ctx: PersonContext,
  request: Request,
): Promise<MessageInitShape<typeof CommandAcceptedSchema> | Problem> {
  const command = await readCommand(parts, ctx, request);
  if (isProblem(command)) return command;
  const { cartId, atMs, dot } = command;
  const { observed } = await observe(parts, command);
  const accepted = await acceptCommand(parts, ctx, command, { type: 'CartCleared', cartId, atMs, dot, observed });
  return isProblem(accepted) ? accepted : { commandId: request.commandId, ...accepted };
}
