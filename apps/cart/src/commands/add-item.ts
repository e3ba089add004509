import { type AddItemRequest, type CommandAcceptedSchema, isProblem, lineQuantityMax, problem, type Problem } from '@cloakroom/contracts';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { PersonContext } from '@cloakroom/mesh';
import { acceptCommand, readCommand } from './command.ts';
import { lineIdOf, parseLine } from '../model/lines.ts';
import type { CartParts } from '../cart.dependencies.ts';

type Request = Pick<AddItemRequest, 'commandId' | 'productId' | 'options' | 'quantity' | 'seen'>;

/** Adds to what the line already holds: each command makes one add-dot, also when the line is there already. */
export async function addItem(
  parts: CartParts,
  ctx: PersonContext,
  request: Request,
): Promise<MessageInitShape<typeof CommandAcceptedSchema> | Problem> {
  const { commandId, productId, options, quantity } = request;
  const line = parseLine(productId, options);
  if (isProblem(line)) return line;
  if (quantity < 1 || quantity > lineQuantityMax) return problem('invalid_request', `quantity: 1 to ${lineQuantityMax}`);
  const command = await readCommand(parts, ctx, request);
  if (isProblem(command)) return command;
  const { cartId, atMs, dot } = command;
  const lineId = lineIdOf(line);
  const accepted = await acceptCommand(parts, ctx, command, { type: 'ItemAdded', cartId, atMs, dot, line: lineId, quantity });
  return isProblem(accepted) ? accepted : { commandId, lineId, ...accepted };
}
