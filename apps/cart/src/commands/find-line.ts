import { problem, type Problem } from '@cloakroom/contracts';
import { commandOfDot, type CommandId, type Dot } from '../model/cart.ts';
import type { Command, Observed } from './command.ts';
import { lineOf, type LineId } from '../model/lines.ts';

/**
 * The observed dots that a command on this line may kill; `unknown_line` when the cart, as far as anyone can tell, never had it.
 * A line that another device has just removed is still known by its dots: a set that did not see the removal stands.
 * While the view is behind or away the client is taken at its word: a line id says by itself which line it is.
 */
export function findLine({ known, caughtUp }: Command, { observed, guestLines }: Observed, lineId: LineId): { observed: Dot[] } | Problem {
  if (lineOf(lineId) === undefined) return problem('unknown_line');
  // A dot that nobody knows yet is killed in whatever line it turns out to be: so all who may know are asked.
  const lineNow = (id: CommandId): LineId => known?.dots.get(id)?.line ?? guestLines.get(id) ?? lineId;
  const ofLine = observed.filter((dot) => lineNow(commandOfDot(dot)) === lineId);
  if (known === undefined || !caughtUp) return { observed: ofLine };
  const shown = [...known.dots.values()].some((live) => live.line === lineId);
  // Seen dots that are not here yet may be a guest's, or one's own unread write: they are the client's word that the line exists.
  return shown || ofLine.length > 0 ? { observed: ofLine } : problem('unknown_line');
}
