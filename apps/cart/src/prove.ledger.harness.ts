/**
 * What must come out, said without the code that is proven: every acknowledged dot lives, unless somebody who saw it removed it or an order
 * took it. No event, no order of arrival and no crash occurs here.
 */
import { guests, type Sent } from './prove.world.harness.ts';
import { commandOfDot, type CartState, type CommandId, type Dot } from './cart.ts';

interface Made {
  readonly cartId: string;
  readonly scope: string;
  readonly quantity: number;
  readonly kind: 'add' | 'set' | 'coupon';
}

export class Ledger {
  readonly #made = new Map<CommandId, Made>();
  readonly #kills: { readonly cartId: string; readonly ids: readonly CommandId[] }[] = [];
  readonly #claims = new Map<string, string>();
  readonly #ordered = new Map<CommandId, string>();

  acknowledged({ cartId, commandId, command, seen }: Sent): void {
    if (command.kind === 'add' || command.kind === 'set')
      this.#made.set(commandId, { cartId, scope: command.line, quantity: command.quantity, kind: command.kind });
    if (command.kind === 'coupon') this.#made.set(commandId, { cartId, scope: command.code, quantity: 0, kind: 'coupon' });
    if (command.kind !== 'add' && command.kind !== 'coupon') this.#kills.push({ cartId, ids: seen.map(commandOfDot) });
  }

  /** The first claim of a guest's cart is the only one. */
  claimed(guestCartId: string, userCartId: string): void {
    if (!this.#claims.has(guestCartId)) this.#claims.set(guestCartId, userCartId);
  }

  claimOf = (guestCartId: string): string | undefined => this.#claims.get(guestCartId);

  /** As the database of orders, where a command is unique. @returns whether the order stands */
  order(orderId: string, dots: readonly Dot[]): boolean {
    const ids = dots.map(commandOfDot);
    if (ids.length === 0 || ids.some((id) => this.#ordered.has(id))) return false;
    for (const id of ids) this.#ordered.set(id, orderId);
    return true;
  }

  /** @returns what is wrong with this cart, or undefined */
  faultOf(cartId: string, state: CartState): string | undefined {
    const carts = new Set([cartId, ...guests.filter((guest) => this.#claims.get(guest) === cartId)]);
    const removed = new Set(this.#kills.flatMap((kill) => (carts.has(kill.cartId) ? kill.ids : [])));
    // A guest's cart does not hear of orders: its user's does.
    const ordered = guests.some((guest) => guest === cartId) ? new Map<CommandId, string>() : this.#ordered;
    for (const [id, made] of this.#made) {
      const here = state.dots.get(id);
      const lives = here !== undefined || state.coupons.has(id);
      const name = `${made.kind} of ${made.scope}`;
      if (!carts.has(made.cartId)) {
        if (lives) return `${name} is in a cart that is not its owner's`;
      } else if (removed.has(id) || ordered.has(id)) {
        if (lives) return `${name} was ${ordered.has(id) ? 'ordered' : 'removed'} and is back`;
      } else if (!lives) return `${name} was acknowledged and is lost`;
      else if (here !== undefined && (here.line !== made.scope || here.quantity !== made.quantity || here.kind !== made.kind))
        return `${name} turned into ${here.kind} ${here.quantity} of ${here.line}`;
    }
    const alien = [...state.dots.keys(), ...state.coupons.keys()].find((id) => !this.#made.has(id));
    return alien === undefined ? undefined : 'a command lives that nobody made';
  }

  /** By line: the larger of the live sets and the sum of the live adds. */
  quantitiesOf(state: CartState): Record<string, number> {
    const lines = new Map<string, { set: number; added: number }>();
    for (const id of state.dots.keys()) {
      const { scope, quantity, kind } = this.#made.get(id)!;
      const line = lines.get(scope) ?? { set: 0, added: 0 };
      if (kind === 'add') line.added += quantity;
      else line.set = Math.max(line.set, quantity);
      lines.set(scope, line);
    }
    const sums = [...lines].map(([line, { set, added }]) => [line, set + added] as const);
    return Object.fromEntries(sums.sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
