/**
 * What must come out, said without the code that is proven: every acknowledged dot lives, unless somebody who saw it removed it or an order
 * took it. No event, no order of arrival and no crash occurs here.
 */
import { guests, type Sent } from './prove.world.harness.ts';
import { dotOf, type CartState, type Dot } from './cart.ts';

interface Made {
  readonly cartId: string;
  readonly scope: string;
  readonly quantity: number;
  readonly kind: 'add' | 'set' | 'coupon';
}

export class Ledger {
  readonly #made = new Map<Dot, Made>();
  readonly #kills: { readonly cartId: string; readonly dots: readonly Dot[] }[] = [];
  readonly #claims = new Map<string, string>();
  readonly #ordered = new Map<Dot, string>();

  acknowledged({ cartId, commandId, command, seen }: Sent): void {
    const dot = dotOf(cartId, commandId);
    if (command.kind === 'add' || command.kind === 'set')
      this.#made.set(dot, { cartId, scope: command.line, quantity: command.quantity, kind: command.kind });
    if (command.kind === 'coupon') this.#made.set(dot, { cartId, scope: command.code, quantity: 0, kind: 'coupon' });
    if (command.kind !== 'add' && command.kind !== 'coupon') this.#kills.push({ cartId, dots: seen });
  }

  /** The first claim of a guest's cart is the only one. */
  claimed(guestCartId: string, userCartId: string): void {
    if (!this.#claims.has(guestCartId)) this.#claims.set(guestCartId, userCartId);
  }

  claimOf = (guestCartId: string): string | undefined => this.#claims.get(guestCartId);

  /** As the database of orders, where a dot is unique. @returns whether the order stands */
  order(orderId: string, dots: readonly Dot[]): boolean {
    if (dots.length === 0 || dots.some((dot) => this.#ordered.has(dot))) return false;
    for (const dot of dots) this.#ordered.set(dot, orderId);
    return true;
  }

  /** @returns what is wrong with this cart, or undefined */
  faultOf(cartId: string, state: CartState): string | undefined {
    const carts = new Set([cartId, ...guests.filter((guest) => this.#claims.get(guest) === cartId)]);
    const removed = new Set(this.#kills.flatMap((kill) => (carts.has(kill.cartId) ? kill.dots : [])));
    // A guest's cart does not hear of orders: its user's does.
    const ordered = guests.some((guest) => guest === cartId) ? new Map<Dot, string>() : this.#ordered;
    for (const [dot, made] of this.#made) {
      const here = state.dots.get(dot);
      const lives = here !== undefined || state.coupons.has(dot);
      const name = `${made.kind} of ${made.scope}`;
      if (!carts.has(made.cartId)) {
        if (lives) return `${name} is in a cart that is not its owner's`;
      } else if (removed.has(dot) || ordered.has(dot)) {
        if (lives) return `${name} was ${ordered.has(dot) ? 'ordered' : 'removed'} and is back`;
      } else if (!lives) return `${name} was acknowledged and is lost`;
      else if (here !== undefined && (here.line !== made.scope || here.quantity !== made.quantity || here.kind !== made.kind))
        return `${name} turned into ${here.kind} ${here.quantity} of ${here.line}`;
    }
    const alien = [...state.dots.keys(), ...state.coupons.keys()].find((dot) => !this.#made.has(dot));
    return alien === undefined ? undefined : 'a dot lives that nobody made';
  }

  /** By line: the larger of the live sets and the sum of the live adds. */
  quantitiesOf(state: CartState): Record<string, number> {
    const lines = new Map<string, { set: number; added: number }>();
    for (const dot of state.dots.keys()) {
      const { scope, quantity, kind } = this.#made.get(dot)!;
      const line = lines.get(scope) ?? { set: 0, added: 0 };
      if (kind === 'add') line.added += quantity;
      else line.set = Math.max(line.set, quantity);
      lines.set(scope, line);
    }
    const sums = [...lines].map(([line, { set, added }]) => [line, set + added] as const);
    return Object.fromEntries(sums.sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
