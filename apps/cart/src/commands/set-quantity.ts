import {
  type CommandAcceptedSchema,
  isProblem,
  lineQuantityMax,
  problem,
  type Problem,
  type SetQuantityRequest,
} from '@cloakroom/contracts';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { PersonContext } from '@cloakroom/mesh';
import { acceptCommand, observe, readCommand } from './command.ts';
import { findLine } from './find-line.ts';
import type { CartParts } from '../cart.dependencies.ts';

type Request = Pick<SetQuantityRequest, 'commandId' | 'lineId' | 'quantity' | 'seen'>;

/** Replaces the observed dots of the line by this quantity, so a concurrent add still counts. 0 removes what was seen. */
export async function setQuantity(
  parts: CartParts,
  ctx: PersonContext,
  request: Request,
): Promise<MessageInitShape<typeof CommandAcceptedSchema> | Problem> {
  const { commandId, lineId, quantity } = request;
  if (quantity > lineQuantityMax) return problem('invalid_request', `quantity: 0 to ${lineQuantityMax}`);
  const command = await readCommand(parts, ctx, request);
  if (isProblem(command)) return command;
  const line = findLine(command, await observe(parts, command), lineId);
  if (isProblem(line)) return line;
  const { cartId, atMs, dot } = command;
  const common = { cartId, atMs, dot, line: lineId, observed: line.observed };
  const accepted = await acceptCommand(
    parts,
    ctx,
    command,
    quantity === 0 ? { ...common, type: 'ItemRemoved' } : { ...common, type: 'QuantitySet', quantity },
  );
  return isProblem(accepted) ? accepted : { commandId, lineId, ...accepted };
}
