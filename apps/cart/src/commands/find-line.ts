import { problem, type Problem } from '@cloakroom/contracts';
import { commandOfDot, type CommandId, type Dot } from '../model/cart.ts';
import type { Command, Observed } from './command.ts';
import { lineOf, type LineId } from '../model/lines.ts';

/**
 * @returns the observed dots that a command on this line may kill; `unknown_line` when nothing shows that the cart ever had the line
 *
 * A line that another device has just removed is still known by its dots, so a set that did not see the removal counts. While the view is
 * behind or down, the line id that the client sent is accepted: the id itself says which product and options it means.
 */
export function findLine({ known, caughtUp }: Command, { observed, guestLines }: Observed, lineId: LineId): { observed: Dot[] } | Problem {
  if (lineOf(lineId) === undefined) return problem('unknown_line');
  // A dot that is known nowhere yet could belong to any line. So this cart is asked first, then the guest's, and then the request is
  // believed.
  const lineNow = (id: CommandId): LineId => known?.dots.get(id)?.line ?? guestLines.get(id) ?? lineId;
  const ofLine = observed.filter((dot) => lineNow(commandOfDot(dot)) === lineId);
  if (known === undefined || !caughtUp) return { observed: ofLine };
  const shown = [...known.dots.values()].some((live) => live.line === lineId);
  // A seen dot that is not here yet may be a guest's, or the client's own unread write. It shows that the client knew the line.
  return shown || ofLine.length > 0 ? { observed: ofLine } : problem('unknown_line');
}
