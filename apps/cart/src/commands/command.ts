/** The steps that every command of a cart shares: caller, dot, `seen`, a look at the view, limits, append. */
import { isGuestSubject, isUserSubject, observed, problem, uuidV7Milliseconds, type Problem } from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/mesh';
import { observeRunning, observing } from '@cloakroom/platform';
import { append } from './append.ts';
import { cartOfDot, dotOf, emptyCart, type CartEvent, type CartState, type CommandId, type Dot } from '../model/cart.ts';
import { isRebuilding, ViewUnavailable } from '../projection/cart.view.ts';
import { hasReached, partitionOfCart, tokenFor } from '../reads/consistency.ts';
import { checkLimits } from '../model/limits.ts';
import type { LineId } from '../model/lines.ts';
import { commandsUnchecked } from '../metrics.ts';
import type { CartParts } from '../cart.dependencies.ts';
import { decodeSeen, encodeSeen } from '../model/seen.ts';

/** Far below the 45 days for which deaths are kept: a late repeat cannot meet a forgotten death, even when a guest signs in later. */
const commandAgeMaxMs = 7 * 24 * 60 * 60 * 1000;
/** A client's clock may be a time zone off. */
const commandAheadMaxMs = 24 * 60 * 60 * 1000;
/** How many guest carts of a `seen` are looked up while their claim has not reached this cart yet. A browser has one. */
const guestLookupCountMax = 4;

export interface Command {
  readonly cartId: string;
  readonly dot: Dot;
  readonly atMs: number;
  /** The dots that the client had seen, as the client sent them. */
  readonly seen: readonly Dot[];
  /** The cart in the view; undefined while the view does not answer. */
  readonly known: CartState | undefined;
  /** Whether the view holds all that the client has written. */
  readonly caughtUp: boolean;
}

export interface Observed {
  /** The seen dots that this cart may hold: its own and those of its guests. */
  readonly observed: readonly Dot[];
  /** The line of each observed guest command that this cart does not hold yet. It is read from the guest's own cart. */
  readonly guestLines: ReadonlyMap<CommandId, LineId>;
}

export async function readCommand(
  parts: CartParts,
  ctx: PersonContext,
  request: { readonly commandId: string; readonly seen: string },
): Promise<Command | Problem> {
  const nowMs = parts.clock.nowMs();
  const madeAtMs = uuidV7Milliseconds(request.commandId);
  if (madeAtMs === undefined) return problem('invalid_request', 'commandId: a UUIDv7 in lower case');
  if (madeAtMs < nowMs - commandAgeMaxMs || madeAtMs > nowMs + commandAheadMaxMs) return problem('command_expired');
  const seen = decodeSeen(request.seen);
  if (!Array.isArray(seen)) return seen;

  const cartId = ctx.identity.subject;
  if (observing()) observeRunning(() => ({ [observed.cartId]: cartId }));
  const partition = partitionOfCart(parts, cartId);
  const { known, caughtUp } = await lookUp(parts, cartId, partition, ctx.consistency);
  return { cartId, dot: dotOf(cartId, request.commandId), atMs: nowMs, seen, known, caughtUp };
}

/** Checks the limits as far as the view knows the cart, and appends. The answer's `seen` includes the dot just made. */
export async function acceptCommand(
  parts: CartParts,
  ctx: PersonContext,
  command: Command,
  event: CartEvent,
): Promise<{ seen: string; consistencyToken: string } | Problem> {
  if (command.known === undefined) commandsUnchecked.inc();
  const refused = command.known && checkLimits(command.known, event);
  if (refused !== undefined) return refused;
  const token = await append(parts, ctx, event);
  if (typeof token !== 'string') return token;
  return { seen: encodeSeen([...command.seen, command.dot]), consistencyToken: token };
}

/** A command must not wait for the view, nor fail when the view does: the log is the only write. */
async function lookUp(
  parts: CartParts,
  cartId: string,
  partition: number,
  consistency: string | undefined,
): Promise<{ known: CartState | undefined; caughtUp: boolean }> {
  try {
    const { place, carts } = await parts.view.load(partition, [cartId]);
    const rebuilding = place === undefined || isRebuilding(place);
    const caughtUp = !rebuilding && hasReached(place, tokenFor(consistency, parts, partition));
    return { known: carts.get(cartId)?.state ?? emptyCart(cartId), caughtUp };
  } catch (error) {
    if (!(error instanceof ViewUnavailable)) throw error;
    return { known: undefined, caughtUp: false };
  }
}

/**
 * Decides which seen dots a command may kill. An add kills nothing, so it does not call this.
 *
 * A guest's `seen` stays valid after the guest cart was claimed, even before the claim has arrived here. Until then the guest's own record
 * tells which user claimed it. A guest cart without a claim is accepted: a false `seen` can only kill in the sender's own cart.
 */
export async function observe(parts: CartParts, { cartId, seen, known }: Command): Promise<Observed> {
  const foreign = new Set(seen.map(cartOfDot).filter((id) => id !== cartId && known?.joined.has(id) !== true));
  const guests = isUserSubject(cartId) ? [...foreign].filter(isGuestSubject) : [];
  const guestLines = new Map<CommandId, LineId>();
  const refused = new Set([...foreign].filter((id) => !guests.includes(id)));
  // While the view is down it cannot tell about guests either, and each lookup would cost a time-out.
  for (const guestCartId of known === undefined ? [] : guests.slice(0, guestLookupCountMax)) {
    const guest = await lookUp(parts, guestCartId, partitionOfCart(parts, guestCartId), undefined);
    if (guest.known?.claimedBy !== undefined && guest.known.claimedBy !== cartId) refused.add(guestCartId);
    for (const [id, { line }] of guest.known?.dots ?? []) guestLines.set(id, line);
  }
  return { observed: seen.filter((dot) => !refused.has(cartOfDot(dot))), guestLines };
}
