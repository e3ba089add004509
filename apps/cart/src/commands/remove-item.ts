import { isProblem, type CommandAcceptedSchema, type Problem, type RemoveItemRequest } from '@cloakroom/contracts';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { PersonContext } from '@cloakroom/mesh';
import { acceptCommand, observe, readCommand } from './command.ts';
import { findLine } from './find-line.ts';
import type { CartParts } from '../cart.dependencies.ts';

type Request = Pick<RemoveItemRequest, 'commandId' | 'lineId' | 'seen'>;

/** Removes the seen dots of a line. An add on another device meanwhile survives. */
export async function removeItem(
  parts: CartParts,
  ctx: PersonContext,
  request: Request,
): Promise<MessageInitShape<typeof CommandAcceptedSchema> | Problem> {
  const { commandId, lineId } = request;
  const command = await readCommand(parts, ctx, request);
  if (isProblem(command)) return command;
  const line = findLine(command, await observe(parts, command), lineId);
  if (isProblem(line)) return line;
  const { cartId, atMs, dot } = command;
  const accepted = await acceptCommand(parts, ctx, command, {
    type: 'ItemRemoved',
    cartId,
    atMs,
    dot,
    line: lineId,
    observed: line.observed,
  });
  return isProblem(accepted) ? accepted : { commandId, lineId, ...accepted };
}
